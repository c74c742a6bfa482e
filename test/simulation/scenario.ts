import type { DriverCard } from "../../src/contract/task.ts";
import { workerTask, type WorkerTask } from "../../src/contract/worker-api.ts";
import { faultKinds, type FaultKind } from "./mischief.ts";
import { diceOf, type Dice } from "./random.ts";

/** What a seed is about: who takes part, and what may go wrong. */
export interface Scenario {
  seed: number;
  backend: "pglite" | "postgres";
  farms: number;
  tier: DriverCard["tier"];
  /** The site keeps a marker of ours; else what is new in its list and has our title is taken for ours. */
  marked: boolean;
  /** The manager knows who holds a task, as ours does. */
  leases: boolean;
  tasks: WorkerTask[];
  concurrency: number;
  pollMs: number;
  /** How long a claim stands without a sign of life. */
  leaseMs: number;
  /** A publish request is handled within this time, or never. */
  stepTimeoutMs: number;
  /** It takes its time with every request, up to that deadline. */
  slowSite: boolean;
  /** How far the listing may be behind. */
  lagMs: number;
  /** How long a thread may be held between the gate's word and the socket's write: the stated assumption. */
  windowMs: number;
  /** A person answers what is in doubt, truly. */
  personAnswers: boolean;
  faults: ReadonlySet<FaultKind>;
  /** Chance of each sort of bad answer to a publish request. */
  weather: Partial<Record<FaultKind, number>>;
  /** The same of exchanges with the manager. */
  trouble: Partial<Record<FaultKind, number>>;
}

/** How often a kind is drawn, against 1 of the others: what several farms can do to each other is the hardest to hit. */
const weights: Partial<Record<FaultKind, number>> = {
  freeze: 5,
  kill: 3,
  "thread-death": 2,
  stall: 2,
  "manager-outage": 0.5,
  "power-cut": 0.7,
};
const weatherKinds = [
  "publish-lost",
  "publish-slow",
  "accepted-later",
  "reply-lost",
  "refused-connection",
  "site-errors",
  "site-refusals",
] as const;
const failureKinds = ["refused-connection", "site-refusals"] as const;
const troubleKinds = ["manager-loses-requests", "manager-loses-replies", "manager-says-later"] as const;

export function drawScenario(seed: number, dropped: ReadonlySet<FaultKind> = new Set()): Scenario {
  const dice = diceOf(seed, "scenario");
  const backend = dice.chance(0.35) ? "pglite" : "postgres";
  const farms = backend === "pglite" ? 1 : dice.pick([1, 2, 2, 2, 3]);
  const tier = dice.pick(["list", "list", "list", "list", "list", "drafts", "drafts", "drafts", "drafts", "blind"] as const);
  const marked = tier !== "list" || diceOf(seed, "marker").chance(0.7);
  const tasks = drawTasks(diceOf(seed, "tasks"));
  const lagMs = dice.pick([0, 500, 2500]);
  const drawn = drawFaults(diceOf(seed, "faults"), { backend, tier, marked, titlesDiffer: titlesDiffer(tasks) });
  const faults = new Set([...drawn].filter((kind) => !dropped.has(kind)));
  const share = (kinds: readonly FaultKind[], chance: number): Partial<Record<FaultKind, number>> =>
    Object.fromEntries(kinds.filter((kind) => faults.has(kind)).map((kind) => [kind, chance]));
  return {
    seed,
    backend,
    farms,
    tier,
    marked,
    leases: dice.chance(0.7),
    tasks,
    concurrency: dice.between(1, 3),
    pollMs: dice.between(4000, 9000),
    leaseMs: dice.pick([9000, 20_000, 60_000]),
    stepTimeoutMs: dice.between(3000, 5000),
    slowSite: dice.chance(0.3),
    lagMs,
    windowMs: dice.pick([0, 0, 1500]),
    personAnswers: dice.chance(0.5),
    faults,
    // What makes a task fail costs minutes until the manager hands it out again.
    weather: { ...share(weatherKinds, 0.4), ...share(failureKinds, 0.25) },
    trouble: share(troubleKinds, 0.25),
  };
}

/** Two or three kinds a seed; now and then none. What a tier can't promise anything about is left out. */
function drawFaults(
  dice: Dice,
  { backend, tier, marked, titlesDiffer: differ }: Pick<Scenario, "backend" | "tier" | "marked"> & { titlesDiffer: boolean },
): ReadonlySet<FaultKind> {
  const able = faultKinds.filter(
    (kind) =>
      // PostgreSQL has committed to the disk; power loss there is the death of all farms.
      (kind !== "power-cut" || backend === "pglite") &&
      // Without a marker nobody can tell a stranger's episode of the same title from ours.
      (kind !== "twin" || marked) &&
      // An older ledger forgets what it can't look up, on a site that can't be asked, or that shows titles alone, which are the same.
      (kind !== "restored-backup" || (tier !== "blind" && (marked || differ))),
  );
  const drawn = new Set<FaultKind>();
  for (let left = dice.pick([0, 1, 2, 2, 3, 3, 4]); left > 0; left -= 1) {
    let at = dice() * able.reduce((sum, kind) => sum + (weights[kind] ?? 1), 0);
    const kind = able.find((one) => (at -= weights[one] ?? 1) < 0);
    if (kind) drawn.add(kind);
  }
  return drawn;
}

function titlesDiffer(tasks: readonly WorkerTask[]): boolean {
  const byId = new Map(tasks.flatMap((task) => task.data_content.map(({ id, title }) => [`${task.account_id}|${id}`, title] as const)));
  return new Set(byId.values()).size === byId.size;
}

function drawTasks(dice: Dice): WorkerTask[] {
  const count = dice.pick([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3]);
  const shared = dice.chance(0.4);
  return Array.from({ length: count }, (_, number) => {
    const account = shared ? "a1" : `a${number + 1}`;
    const episodes = dice.pick([1, 1, 1, 1, 1, 1, 2, 2, 2, 3]);
    return workerTask.parse({
      id: `t${number + 1}`,
      status: "queued",
      account_id: account,
      domain: "site.example",
      email: `${account}@example.com`,
      data_content: Array.from({ length: episodes }, (_unused, place) => ({
        // Now and then a second task of an account brings an episode of the first.
        id: shared && number > 0 && place === 0 && dice.chance(0.3) ? "t1-e1" : `t${number + 1}-e${place + 1}`,
        title: `Episode ${place + 1} of ${shared && number > 0 && place === 0 ? "t1" : `t${number + 1}`}`,
        about: "Text",
      })),
    });
  });
}
