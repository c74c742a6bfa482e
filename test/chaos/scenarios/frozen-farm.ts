import { SETTLE_SECONDS, manners, type Tier } from "../support/paper-protocol.ts";
import type { FarmProcess } from "../support/farm-process.ts";
import type { ChaosContext, ChaosScenario } from "../support/scenario.ts";
import { verdictOf, World, type WorldEvidence } from "../support/world.ts";

const LEASE_SECONDS = 5;
const AT_ONCE = 6;
const NOTICED_MS = 15_000;
const END_MS = 60_000;
const LONGEST_MOMENT_MS = 400;

/**
 * The moment right before the gate is free of any assumption, so every tier is tried there. A random moment may be the one
 * between the gate's word and the socket's write, which the protocol assumes to be shorter than the settle time: there only
 * tiers to which a late request does nothing.
 */
const kinds: readonly { tier: Tier; manner: string }[] = [
  { tier: "list", manner: `${manners.marked}-armed` },
  { tier: "drafts", manner: "" },
  { tier: "list", manner: manners.marked },
  { tier: "drafts", manner: `${manners.marked}-armed` },
  { tier: "blind", manner: "" },
  { tier: "blind", manner: `${manners.marked}-armed` },
];

/** A farm is frozen beyond its lease while another takes over, and wakes up when that one is done. */
export const scenario: ChaosScenario = {
  name: "frozen-farm",
  title: "SIGSTOP beyond the lease, SIGCONT",
  async run(context) {
    const times = context.size(6, 50);
    const evidences: WorldEvidence[] = [];
    for (let done = 0; done < times; done += AT_ONCE) {
      evidences.push(await freezeTogether(context, Math.min(AT_ONCE, times - done)));
      if (times > AT_ONCE) context.say(`${Math.min(times, done + AT_ONCE)} of ${times}`);
    }
    const late = evidences.flatMap(({ detectMs }) => detectMs).filter((ms) => ms > NOTICED_MS);
    const noticed = evidences.flatMap(({ detectMs }) => detectMs).length;
    return verdictOf(scenario.title, evidences, [
      ...late.map((ms) => `A frozen farm was noticed after ${(ms / 1000).toFixed(1)} s; 15 s are allowed.`),
      ...(noticed < times ? [`Only ${noticed} of ${times} frozen farms had a successor.`] : []),
    ]);
  },
};

async function freezeTogether(context: ChaosContext, count: number): Promise<WorldEvidence> {
  const world = await World.open(context, { backend: "postgres" });
  const settings = { leaseSeconds: LEASE_SECONDS };
  const farms = Array.from({ length: count + 1 }, () => world.spare());
  const [successor, ...victims] = farms as [FarmProcess, ...FarmProcess[]];
  await Promise.all(farms.map(async (farm) => farm.warm()));
  const mannerOf = new Map<string, string>();
  for (let seat = 0; seat < count; seat += 1) {
    const { tier, manner } = kinds[seat % kinds.length]!;
    mannerOf.set(await world.give({ tier, manner }), manner);
  }
  const frozen = freezeEach(world, victims, mannerOf);
  // One task a farm, and none left for whoever starts later.
  const start = async (farm: FarmProcess, name: string, concurrency: number): Promise<void> =>
    farm.start(world.order(await world.dataDir(name), { settings: { ...settings, concurrency } }));
  const starting = victims.map(async (victim, seat) => start(victim, `victim-${seat}`, 1));
  await Promise.race([
    world.until("every farm is frozen in its task", END_MS, () => frozen.size === count),
    // Frozen before it said that it is up, a farm never says so.
    Promise.all(starting).then(async () => new Promise<never>(() => undefined)),
  ]);
  await start(successor, "successor", count);
  const inTime = await world.settled(successor, END_MS);
  for (const victim of victims) victim.thaw();
  // Awake again, they get the time to do what they should not: their requests' deadline and more.
  await world.rest(SETTLE_SECONDS * 1000);
  if (!inTime && !(await world.settled(successor, END_MS))) context.say(`not all has ended: ${JSON.stringify(await successor.status())}`);
  const evidence = await world.evidence(successor);
  await Promise.all(farms.map(async (farm) => farm.kill()));
  return evidence;
}

/** Freezes whoever has a task: when it says that it is about to publish, or some time after it began. @returns the pids, as it happens */
function freezeEach(world: World, victims: readonly FarmProcess[], manner: ReadonlyMap<string, string>): ReadonlySet<number> {
  const frozen = new Set<number>();
  const inTask = new Map<number, PromiseWithResolvers<void>>();
  const freeze = (pid: number): void => {
    const victim = victims.find((one) => one.pid === pid);
    if (!victim || frozen.has(pid)) return;
    frozen.add(pid);
    world.noteFault(pid);
    victim.freeze();
    inTask.get(pid)?.resolve();
  };
  const isVictim = (pid: number): boolean => victims.some((one) => one.pid === pid);
  world.site.onVisit = async ({ task, what, pid }) => {
    if (!isVictim(pid)) return;
    const marked = manner.get(task) !== "";
    if (what === "GET me" && !inTask.has(pid)) {
      inTask.set(pid, Promise.withResolvers());
      if (!marked) setTimeout(() => freeze(pid), Math.random() * LONGEST_MOMENT_MS);
    }
    // The answer to the checkpoint comes to a farm that is frozen already.
    if (what === "POST checkpoint") freeze(pid);
    // It must not be through with its task before it is frozen.
    if (what === "GET feed") await inTask.get(pid)?.promise;
  };
  return frozen;
}
