import { startFarm, type FarmProcess } from "../../../src/cli/chaos/farm-process.ts";
import { openWorld, type Asked, type World } from "../../../src/cli/chaos/world.ts";
import type { Clock } from "../../../src/kit/clock.ts";
import { copyEmptyDatabase, silentLog } from "../../support/store.ts";
import type { ChaosContext } from "../support/scenario.ts";

/** A studio and a manager in this process; the farms that are started on them end with the scenario. */
export interface GivenWorld extends World {
  /** @param env more settings, or a crash point  @param studioUrls by which it gets to the studio: its tasks are those of these hosts */
  start(folder: string, env?: Record<string, string>, studioUrls?: readonly string[]): Promise<FarmProcess>;
}

const POLL_MS = 100;

/** @param clock the manager's, where it is not the system's */
export async function givenWorld(context: ChaosContext, clock?: Clock): Promise<GivenWorld> {
  const world = await openWorld({ log: silentLog, makeDatabase: copyEmptyDatabase, ...(clock && { clock }) });
  const farms = new Set<FarmProcess>();
  context.after(async () => {
    await Promise.all([...farms].map(async (farm) => farm.kill()));
    await world.close();
  });
  return {
    ...world,
    async start(folder, env = {}, studioUrls = [world.studio.url]) {
      const farm = await startFarm({
        folder,
        managerUrl: world.manager.url,
        apiKey: world.apiKey,
        studioUrls,
        mediaDir: world.mediaDir,
        env,
      });
      farms.add(farm);
      return farm;
    },
  };
}

/** Waits until something is so. @throws when it is not in time, naming what */
export async function until(what: string, withinMs: number, signal: AbortSignal, seen: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await seen())) {
    signal.throwIfAborted();
    if (performance.now() > deadline) throw new Error(`this did not happen within ${Math.round(withinMs / 1000)} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Waits until these are over or wait for a person; what is neither after that time is left for the verdict.
 * @returns ids of the tasks that a person is asked about
 */
export async function settled(
  world: World,
  farm: FarmProcess,
  asked: readonly Asked[],
  withinMs: number,
  signal: AbortSignal,
): Promise<Set<string>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const over = await Promise.all(asked.map(async (one) => world.isOver(one)));
    const open = asked.filter((_, index) => !over[index]);
    const persons = new Set(open.length > 0 ? (await farm.status()).needsPerson.map(({ taskId }) => taskId) : []);
    if (open.every(({ taskId }) => persons.has(taskId)) || performance.now() > deadline) return persons;
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
