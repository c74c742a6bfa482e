import type { FarmProcess } from "../../../src/cli/chaos/farm-process.ts";
import { timesOf } from "../../../src/cli/chaos/times.ts";
import { judge, withProblems } from "../../../src/cli/chaos/verdict.ts";
import { childProcesses } from "../../support/processes.ts";
import { givenWorld, settled, until, type GivenWorld } from "../browser/given-world.ts";
import type { ChaosContext, ChaosScenario } from "../support/scenario.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";

/** Which process stands still: the browser with all its helpers, or the farm itself. */
const victims: Record<string, (farm: FarmProcess) => number[]> = {
  browser: (farm) => browsersOf(farm).map(({ pid }) => pid),
  farm: (farm) => [farm.pid],
};
/** When: the draft is being saved, which is right before the click; or the publish request comes to the site. */
const moments: Record<string, RegExp> = {
  before: /^(POST|PUT) \/shows\/[^/]+\/episodes(\/[^/]+)?$/,
  at: /^POST \/shows\/[^/]+\/episodes\/[^/]+\/publish$/,
};

const STEP_SECONDS = 6;
const LEASE_SECONDS = 3;
/** Longer than the lease, a step, and the settle time. */
const FROZEN_MS = 12_000;
const HIT_WITHIN_MS = 150_000;
const SETTLED_WITHIN_MS = 150_000;

/** A process is stopped (SIGSTOP) around the publish request, for longer than any lease or deadline, and goes on as if nothing had been. */
export const scenario: ChaosScenario = {
  name: "browser-frozen",
  title: "browser or farm frozen at the click",
  async run(context) {
    const world = await givenWorld(context);
    const times = context.size(4, 50);
    const faults: number[] = [];
    const problems: string[] = [];
    const persons = new Set<string>();
    const lanes = Object.keys(victims).map(async (victim) => {
      for (const id of await runLane(context, world, victim, Math.ceil(times / 2), faults, problems)) persons.add(id);
    });
    await Promise.all(lanes);
    const verdict = judge({
      title: scenario.title,
      faults: faults.length,
      publishes: await world.publishes(),
      asked: await world.endings(persons),
      ...timesOf(faults, await world.heard()),
    });
    return withProblems(verdict, problems);
  },
};

function browsersOf(farm: FarmProcess): ReturnType<typeof childProcesses> {
  return childProcesses(farm.pid).filter(({ name }) => /chrom|headless/.test(name));
}

async function runLane(
  context: ChaosContext,
  world: GivenWorld,
  victim: string,
  times: number,
  faults: number[],
  problems: string[],
): Promise<Set<string>> {
  let armed: RegExp | null = null;
  let frozen: number[] = [];
  let farm: FarmProcess | null = null;
  const hit = (line: string): void => {
    if (!armed?.test(line) || !farm) return;
    armed = null;
    frozen = victims[victim]!(farm);
    for (const pid of frozen) process.kill(pid, "SIGSTOP");
  };
  const door = await openTcpProxy(world.studio.url, hit);
  context.after(async () => door.close());
  const folder = await world.farmFolder(victim);
  farm = await world.start(
    folder,
    {
      STEP_SECONDS: String(STEP_SECONDS),
      SETTLE_SECONDS: String(STEP_SECONDS + 2.5),
      LEASE_SECONDS: String(LEASE_SECONDS),
      WORKER_ID: victim,
    },
    [door.url],
  );
  const asked = [];
  for (let time = 0; time < times; time++) {
    const moment = Object.keys(moments)[time % 2] ?? "at";
    asked.push(await world.ask(await world.member(), { by: door.url, title: `${victim} frozen ${moment} ${time + 1}` }));
    frozen = [];
    armed = moments[moment] ?? null;
    await until(`the ${victim} is stopped`, HIT_WITHIN_MS, context.signal, () => frozen.length > 0);
    faults.push(Date.now());
    context.say(`${victim} stopped ${moment} the publish request`);
    await new Promise((resolve) => setTimeout(resolve, FROZEN_MS));
    for (const pid of frozen) signalIfThere(pid);
  }
  const persons = await settled(world, farm, asked, SETTLED_WITHIN_MS, context.signal);
  await farm.stop();
  const left = browsersOf(farm);
  if (left.length > 0) problems.push(`${left.length} processes of the browser are left.`);
  return persons;
}

/** The farm may have ended a browser that did not answer. */
function signalIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
