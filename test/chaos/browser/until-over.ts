import type { World } from "../../../src/cli/chaos/world.ts";
import type { FarmStatus } from "../../../src/coordinator/status.ts";
import type { ChaosContext } from "../support/scenario.ts";

/** Twice what two cores with nothing else to do need. */
const REAL_LIMIT_MS = 12 * 60_000;
/** A sign-in with an unclear end keeps its distance, up to an hour; so does a manager after a failure. */
const PASSES_MS = 26 * 3600_000;
const JUMP_MS = 20_000;
const QUIET_MS = 600;
const SAY_MS = 15_000;
const LOOK_MS = 100;

/** A farm whose clock can be set forward. */
export interface Leaper {
  status(): Pick<FarmStatus, "running" | "needsPerson">;
  jump(ms: number): Promise<void>;
  /** Something is still to come although all tasks are over. */
  more?(): boolean;
}

/** Waits until every task is over, and lets hours pass whenever nothing is at work. @returns ids of the tasks that a person is asked about */
export async function untilOver(context: ChaosContext, world: World, farm: Leaper): Promise<Set<string>> {
  const deadline = performance.now() + REAL_LIMIT_MS * context.size(1, 10);
  let [passed, quietSince, said] = [0, performance.now(), performance.now()];
  for (;;) {
    const over = await Promise.all(world.asked.map(async (one) => world.isOver(one)));
    const open = world.asked.filter((_, index) => !over[index]);
    const { running, needsPerson } = farm.status();
    const persons = new Set(needsPerson.map(({ taskId }) => taskId));
    const done = open.every(({ taskId }) => persons.has(taskId)) && !farm.more?.();
    const now = performance.now();
    if (done || now > deadline || passed > PASSES_MS) return persons;
    context.signal.throwIfAborted();
    if (now - said > SAY_MS) {
      context.say(`${open.length} of ${over.length} to go, ${Math.round(passed / 60_000)} minutes passed beside the real ones`);
      said = now;
    }
    if (running.length > 0) quietSince = now;
    else if (now - quietSince > QUIET_MS) {
      await farm.jump(JUMP_MS);
      passed += JUMP_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
