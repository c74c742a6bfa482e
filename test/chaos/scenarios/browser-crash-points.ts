import { crashPoints, type CrashPoint } from "../../../src/kit/crashpoint.ts";
import type { FarmProcess } from "../../../src/cli/chaos/farm-process.ts";
import { timesOf } from "../../../src/cli/chaos/times.ts";
import { judge, withProblems } from "../../../src/cli/chaos/verdict.ts";
import type { Asked } from "../../../src/cli/chaos/world.ts";
import { givenWorld, settled, type GivenWorld } from "../browser/given-world.ts";
import type { ChaosContext, ChaosScenario } from "../support/scenario.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";

/** What it takes to come to a point, where an ordinary task does not. */
interface Way {
  /** On an account that nobody has signed in yet, and to its end before the next: a second cut sign-in would have to wait for long. */
  fresh?: "none" | "totp";
  /** The publish request is answered by a broken connection. */
  answerLost?: true;
  /** It is reached by SIGTERM in the middle of the work. */
  terminated?: true;
}

const ways: Partial<Record<CrashPoint, Way>> = {
  "signing-in": { fresh: "none" },
  "submit-counted": { fresh: "none" },
  "code-taken": { fresh: "totp" },
  "session-saved": { fresh: "none" },
  "doubt-written": { answerLost: true },
  shutdown: { terminated: true },
};
/** Needs an episode in doubt, which one of the points before it has left. */
const last: readonly CrashPoint[] = [
  "look-opened",
  "doubt-written",
  "shutdown",
  "signing-in",
  "submit-counted",
  "session-saved",
  "code-taken",
];
const order: readonly CrashPoint[] = [...crashPoints.filter((point) => !last.includes(point)), ...last];

const LANES = 2;
const MEMBERS = 5;
/** Tasks that wait or are in doubt when a farm starts. */
const OPEN = 3;
const DIES_WITHIN_MS = 60_000;
const SETTLED_WITHIN_MS = 90_000;

/**
 * The farm with a real browser dies at each named point. Each lane is one farm after another on one data folder: the next
 * one takes up what the dead one left and dies at the next point, the last one lives.
 */
export const scenario: ChaosScenario = {
  name: "browser-crash-points",
  title: "crash points, real Chromium",
  async run(context) {
    const world = await givenWorld(context);
    const rounds = context.size(1, 10);
    const missed: string[] = [];
    const faults: number[] = [];
    const persons = new Set<string>();
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      const mine = order.filter((_point, index) => index % LANES === lane);
      for (const id of await runLane(context, world, `farm-${lane}`, Array.from({ length: rounds }, () => mine).flat(), { faults, missed }))
        persons.add(id);
    });
    await Promise.all(lanes);
    const evidence = {
      title: scenario.title,
      faults: faults.length,
      publishes: await world.publishes(),
      asked: await world.endings(persons),
      ...timesOf(faults, await world.heard()),
    };
    return withProblems(judge(evidence), missed);
  },
};

async function openOnes(world: GivenWorld, asked: readonly Asked[]): Promise<number> {
  const over = await Promise.all(asked.map(async (one) => world.isOver(one)));
  return over.filter((one) => !one).length;
}

interface Notes {
  faults: number[];
  missed: string[];
}

async function runLane(
  context: ChaosContext,
  world: GivenWorld,
  name: string,
  points: readonly CrashPoint[],
  notes: Notes,
): Promise<Set<string>> {
  const folder = await world.farmFolder(name);
  const env = { WORKER_ID: name };
  // Two doors of its own: by the hosts it serves the manager knows whose tasks are whose.
  const [door, badDoor] = [await openTcpProxy(world.studio.url), await openTcpProxy(world.studio.url)];
  context.after(async () => Promise.all([door.close(), badDoor.close()]).then(() => undefined));
  const start = async (more: Record<string, string> = {}): Promise<FarmProcess> =>
    world.start(folder, { ...env, ...more }, [door.url, badDoor.url]);

  const members = await Promise.all(Array.from({ length: MEMBERS }, async () => world.member()));
  const asked: Asked[] = [];
  let farm = await start();
  for (const member of members) asked.push(await world.ask(member, { by: door.url }));
  await settled(world, farm, asked, SETTLED_WITHIN_MS, context.signal);
  await farm.stop();

  for (const [index, point] of points.entries()) {
    context.signal.throwIfAborted();
    const { fresh, answerLost, terminated }: Way = ways[point] ?? {};
    if (answerLost) badDoor.harm(/^POST .*\/publish$/, { kind: "reset after" });
    const own = fresh || answerLost ? await world.member(fresh ?? "none") : null;
    // What earlier ones left is work as well; a stack of it would only make each start dearer.
    if (own || (await openOnes(world, asked)) < OPEN)
      asked.push(await world.ask(own ?? members[index % MEMBERS]!, { by: answerLost ? badDoor.url : door.url }));
    const task = asked.at(-1)!;
    farm = await start({ PODCREW_CRASHPOINT: point, CONCURRENCY: "1" });
    if (terminated) await farm.says(/"message":"starts:/, DIES_WITHIN_MS).then(() => farm.signal("SIGTERM"));
    const end = await farm.ended(DIES_WITHIN_MS).catch(async (error: Error) => {
      await farm.kill();
      return error.message.split("\n", 1)[0];
    });
    notes.faults.push(Date.now());
    if (end !== "SIGKILL") notes.missed.push(`The farm did not die at ${point}: ${end}.`);
    context.say(`${point}: ${end === "SIGKILL" ? "died there" : "NOT REACHED"}`);
    if (!fresh) continue;
    farm = await start();
    await settled(world, farm, [task], SETTLED_WITHIN_MS, context.signal);
    await farm.stop();
  }

  farm = await start();
  const persons = await settled(world, farm, asked, SETTLED_WITHIN_MS, context.signal);
  await farm.stop();
  return persons;
}
