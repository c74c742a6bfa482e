import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FarmProcess } from "../../../src/cli/chaos/farm-process.ts";
import { timesOf } from "../../../src/cli/chaos/times.ts";
import { judge, withProblems } from "../../../src/cli/chaos/verdict.ts";
import type { Asked } from "../../../src/cli/chaos/world.ts";
import { childProcesses, stillAlive } from "../../support/processes.ts";
import { givenWorld, settled, until, type GivenWorld } from "../browser/given-world.ts";
import { watchZombies } from "../browser/zombies.ts";
import type { ChaosContext, ChaosScenario } from "../support/scenario.ts";

const drivers = fileURLToPath(new URL("../browser/drivers", import.meta.url));
const MEMBERS = 4;
const OPEN = 5;
/** A browser notices that its farm is gone by its pipe. */
const BROWSER_GONE_MS = 10_000;
/** A blocked thread is noticed within 15 s and ended, twice. */
const THREADS_END_WITHIN_MS = 150_000;
const SETTLED_WITHIN_MS = 180_000;

/**
 * Tasks canceled at any moment, threads that end or hang, farms killed: no zombie lives longer than a moment, no browser
 * outlives its farm, and no profile or temporary folder outlives the next start.
 */
export const scenario: ChaosScenario = {
  name: "browser-hygiene",
  title: "cancels, dead threads, kill -9: what is left",
  async run(context) {
    const sizes = { cancels: context.size(15, 200), threads: context.size(5, 50), kills: context.size(5, 50) };
    const world = await givenWorld(context);
    const folder = await world.farmFolder();
    const temporary = join(world.folder, "t");
    await mkdir(temporary);
    const { host } = new URL(world.studio.url);
    const start = async (): Promise<FarmProcess> =>
      world.start(folder, {
        TMPDIR: temporary,
        DRIVERS: drivers,
        SITES: `${host}=ill-mannered@${world.studio.url}`,
      });
    const faults: number[] = [];
    const problems: string[] = [];
    const zombies = watchZombies(process.pid);
    context.after(() => zombies.stop());

    let farm = await start();
    const members = await Promise.all(Array.from({ length: MEMBERS }, async () => world.member()));
    const signedIn = await Promise.all(members.map(async (member) => world.ask(member)));
    await settled(world, farm, signedIn, SETTLED_WITHIN_MS, context.signal);
    const work = { context, world, members, faults };

    await cancelTasks(work, farm, sizes.cancels);
    const say = async (what: string): Promise<void> =>
      context.say(`${what}; ${zombies.forgotten().length} zombies, ${await leftOf(farm, folder, temporary)}`);
    await say(`${sizes.cancels} tasks canceled`);
    const hung = await endThreads(work, farm, sizes.threads);
    await say(`${sizes.threads} threads ended`);

    for (let kill = 0; kill < sizes.kills; kill++) {
      const tasks = await Promise.all(members.map(async (member) => world.ask(member)));
      await anyMoment(300, 4000);
      const family = childProcesses(farm.pid);
      faults.push(Date.now());
      await farm.kill();
      await until("the browser of a killed farm is gone", BROWSER_GONE_MS, context.signal, () => stillAlive(family).length === 0).catch(
        () =>
          problems.push(
            `After kill ${kill + 1} these are left: ${stillAlive(family)
              .map(({ name }) => name)
              .join(", ")}.`,
          ),
      );
      farm = await start();
      await farm.up();
      const folders = await readdir(join(folder, "tmp"));
      if (folders.length > 1)
        problems.push(`After the start that followed kill ${kill + 1} there are ${folders.length} temporary folders.`);
      // Else a stack of tasks would grow that are all cut again and again.
      if (kill % 5 === 4) await say(`killed ${kill + 1} times`);
      if (kill % 5 === 4) await settled(world, farm, tasks, SETTLED_WITHIN_MS, context.signal);
    }
    const persons = await settled(world, farm, world.asked, SETTLED_WITHIN_MS, context.signal);
    const family = childProcesses(farm.pid);
    const end = await farm.stop();
    await until("the processes of the last farm are gone", BROWSER_GONE_MS, context.signal, () => stillAlive(family).length === 0).catch(
      () => undefined,
    );
    if (end !== 0) problems.push(`The last farm ended with ${end} when it was asked to.`);
    const left = {
      zombies: zombies.forgotten(),
      processes: stillAlive(family),
      folders: [...(await readdir(join(folder, "tmp"))), ...(await readdir(temporary)).filter((name) => /playwright|chrom/i.test(name))],
    };
    // Whose event loop is blocked can't take its browser's entry from the system; nobody else can, while the farm lives.
    if (left.zombies.length > hung) problems.push(`Zombies that nobody took: ${left.zombies.join(", ")}; ${hung} threads hung.`);
    if (left.processes.length > 0) problems.push(`Processes that are left: ${left.processes.map(({ name }) => name).join(", ")}.`);
    if (left.folders.length > 0) problems.push(`Folders that are left: ${left.folders.join(", ")}.`);
    const verdict = judge({
      title: scenario.title,
      faults: sizes.cancels + sizes.threads + sizes.kills,
      publishes: await world.publishes(),
      asked: await world.endings(persons),
      ...timesOf(faults, await world.heard()),
    });
    const note = `${sizes.cancels} cancels, ${sizes.threads} threads, ${sizes.kills} kills: ${left.zombies.length} zombies by ${hung} hung threads until the farm ended, ${left.processes.length} processes, ${left.folders.length} folders left`;
    return { ...withProblems(verdict, problems), note };
  },
};

interface Work {
  context: ChaosContext;
  world: GivenWorld;
  members: readonly Parameters<GivenWorld["ask"]>[0][];
  faults: number[];
}

async function anyMoment(leastMs: number, mostMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, leastMs + Math.random() * (mostMs - leastMs)));
}

/** Through the manager, each at a moment of its own. */
async function cancelTasks({ context, world, members }: Work, farm: FarmProcess, count: number): Promise<void> {
  const asked: Asked[] = [];
  const one = async (index: number): Promise<void> => {
    const task = await world.ask(members[index % members.length]!, { mayFail: true });
    asked.push(task);
    await anyMoment(200, 5000);
    // What was faster is completed.
    await world.manager.cancelTask(task.taskId).catch(() => undefined);
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      context.signal.throwIfAborted();
      await one(next++);
    }
  };
  await Promise.all(Array.from({ length: OPEN }, lane));
  await until("canceled tasks have let go", SETTLED_WITHIN_MS, context.signal, async () => (await farm.status()).running.length === 0);
}

/**
 * Threads that end by themselves and, every fifth time, one that hangs: each such task ends two threads, and has failed then.
 * @returns how many had to be ended because they hung
 */
async function endThreads({ context, world, faults }: Work, farm: FarmProcess, count: number): Promise<number> {
  let hung = 0;
  for (let ended = 0; ended < count; ended += 2) {
    const manner = ended % 10 === 4 ? "blocks" : "exits";
    if (manner === "blocks") hung += 2;
    const task = await world.ask(await world.member(), { title: `${manner} ${ended}`, mayFail: true });
    faults.push(Date.now());
    await until(`a task that ${manner} its thread is given up`, THREADS_END_WITHIN_MS, context.signal, async () =>
      Boolean((await world.manager.task(task.taskId))?.errorMessage),
    );
    await world.manager.cancelTask(task.taskId);
  }
  await until("the threads are gone", SETTLED_WITHIN_MS, context.signal, async () => (await farm.status()).running.length === 0);
  return hung;
}

async function leftOf(farm: FarmProcess, folder: string, temporary: string): Promise<string> {
  const family = childProcesses(farm.pid);
  const scratch = await readdir(join(folder, "tmp"));
  const profiles = (await Promise.all(scratch.map(async (name) => readdir(join(folder, "tmp", name)))))
    .flat()
    .filter((name) => name !== "owner.pid");
  return `${family.length} processes, ${profiles.length} folders of the running farm, ${(await readdir(temporary)).length} beside it`;
}
