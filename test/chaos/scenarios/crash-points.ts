import { crashPoints, type CrashPoint } from "../../../src/kit/crashpoint.ts";
import { postgresMissing } from "../../support/postgres.ts";
import type { FarmProcess } from "../support/farm-process.ts";
import type { ChaosContext, ChaosScenario } from "../support/scenario.ts";
import { verdictOf, World, type WorldEvidence } from "../support/world.ts";

/** Points that a farm without a browser never comes to, with the reason. */
const unreachable: Partial<Record<CrashPoint, string>> = {};
const AT_LEAST = 24;
const DIES_WITHIN_MS = 150_000;
const ENDS_WITHIN_MS = 150_000;
/** Chains of embedded farms at a time. */
const CHAINS = 2;
/** Farms of the fleet that are about to die, at a time. */
const VICTIMS = 5;
const FLEET_OPEN = 16;
const LURE_EVERY_MS = 1500;
const MOST_LURES = 80;

/** Replies get lost on the way now and then: without, nothing would ever be in doubt while its farm lives. */
const site = { dropReply: 0.1 };
interface Death {
  point: CrashPoint;
  /** Dies when it comes there for the n-th time. */
  pass: number;
}
type Miss = (why: string) => void;

/**
 * Kill -9 at every named step of the protocol. Embedded: a chain of farms on one data folder, each with the next step, which
 * it may meet while it mends what the last one left. PostgreSQL: a fleet on one database, of which all but one die.
 */
export const scenario: ChaosScenario = {
  name: "crash-points",
  title: "kill -9 at each named step",
  async run(context) {
    const rounds = context.size(1, 25);
    const reachable = spread(crashPoints.filter((point) => !unreachable[point]));
    const missed = new Map<string, string>();
    const miss =
      (death: Death, backend: string): Miss =>
      (why) =>
        void missed.set(death.point, `${death.point} (${backend}): ${why}`);
    const deaths = (): Death[] =>
      Array.from({ length: rounds }, (_, round) =>
        reachable.map((point) => ({ point, pass: oftenPassed.has(point) ? 1 + (round % 3) : 1 })),
      ).flat();
    const worlds = await Promise.all([chains(context, deaths(), miss), ...(postgresMissing ? [] : [fleet(context, deaths(), miss)])]);
    const reached = reachable.length - missed.size;
    const problems = [...missed.values(), ...(reached < AT_LEAST ? [`Only ${reached} of the named steps were reached.`] : [])];
    const left = Object.entries(unreachable).map(([point, why]) => `${point} (${why})`);
    const note = `${reached} of ${crashPoints.length} steps, ${rounds * worlds.length} times each${left.length > 0 ? `; not without a browser: ${left.join(", ")}` : ""}`;
    return verdictOf(scenario.title, worlds.flat(), problems, note);
  },
};

/** Steps that every task makes more than once, or that every run of a farm comes to several times. */
const oftenPassed: ReadonlySet<CrashPoint> = new Set<CrashPoint>(["looked", "outbox-sending", "outbox-answered", "claimed", "begun"]);

async function chains(context: ChaosContext, waiting: Death[], miss: (death: Death, backend: string) => Miss): Promise<WorldEvidence[]> {
  return Promise.all(
    Array.from({ length: CHAINS }, async () => {
      const world = await World.open(context, { backend: "pglite", site, successorsDie: true });
      const dataDir = await world.dataDir();
      let [given, next] = [0, waiting.shift()];
      const spareFor = (death: Death | undefined): FarmProcess => world.spare(death && { crashpoint: death.point, pass: death.pass });
      for (let farm = spareFor(next); next;) {
        const death = next;
        next = waiting.shift();
        const successor = spareFor(next);
        // Signing in twice in vain costs an account a quarter of an hour: only every fourth victim meets such a task.
        for (const tier of ["drafts", "list"] as const)
          await world.give({ tier, signsIn: needsSignIn.has(death.point) || given++ % 8 === 0 });
        // Without a lost reply it would never come there.
        world.site.faults.dropReply = death.point === "doubt-written" ? 1 : site.dropReply;
        // It may die before it has said that it is up.
        await farm.start(world.order(dataDir)).catch(() => undefined);
        await dies(world, farm, death, miss(death, "embedded"));
        farm = successor;
        if (!next) return end(world, farm, dataDir);
      }
      return world.evidence(null);
    }),
  );
}

/** Submits that were cut off: a second one on the same account waits for a quarter of an hour, so they keep their distance. */
const cutsSignIn: ReadonlySet<CrashPoint> = new Set<CrashPoint>(["signing-in", "submit-counted", "code-taken"]);

function spread(points: readonly CrashPoint[]): CrashPoint[] {
  const [cutting, others] = [points.filter((point) => cutsSignIn.has(point)), points.filter((point) => !cutsSignIn.has(point))];
  const each = Math.ceil(others.length / Math.max(1, cutting.length));
  return cutting.flatMap((point, index) => [point, ...others.slice(index * each, (index + 1) * each)]);
}

const needsSignIn: ReadonlySet<CrashPoint> = new Set<CrashPoint>(["signing-in", "submit-counted", "code-taken", "session-saved"]);

async function fleet(context: ChaosContext, waiting: Death[], miss: (death: Death, backend: string) => Miss): Promise<WorldEvidence[]> {
  const world = await World.open(context, { backend: "postgres", site });
  const survivor = world.spare();
  const survivorDir = await world.dataDir("survivor");
  await survivor.start(world.order(survivorDir));
  const fed = new AbortController();
  const feeding = world.feed(FLEET_OPEN, (index) => ({ tier: index % 2 === 0 ? "drafts" : "list", signsIn: index % 8 < 2 }), fed.signal);
  feeding.catch(() => undefined);
  await Promise.all(
    Array.from({ length: VICTIMS }, async (_, seat) => {
      const dataDir = await world.dataDir(`victim-${seat}`);
      for (let death = waiting.shift(); death; death = waiting.shift()) {
        const farm = world.spare({ crashpoint: death.point, pass: death.pass });
        await farm.start(world.order(dataDir)).catch(() => undefined);
        const lured = lure(world, farm, death);
        // Awaited below, unless the scenario is cut off before.
        lured.catch(() => undefined);
        await dies(world, farm, death, miss(death, "fleet"));
        await lured;
      }
    }),
  );
  fed.abort();
  await feeding;
  return [await end(world, survivor, null)];
}

/** Others of the fleet may take all that would lead it there, so more comes until it dies. */
async function lure(world: World, farm: FarmProcess, { point }: Death): Promise<void> {
  if (!needsSignIn.has(point)) return;
  for (let given = 0; farm.diedAt === null && given < MOST_LURES; given += 1) {
    await world.give({ tier: given % 2 === 0 ? "drafts" : "list", signsIn: true });
    await world.rest(LURE_EVERY_MS);
  }
}

async function dies(world: World, farm: FarmProcess, { point }: Death, miss: Miss): Promise<void> {
  if (point === "shutdown") await farm.stop();
  await world.until("a farm dies there", DIES_WITHIN_MS, () => farm.diedAt !== null).catch((error: Error) => miss(error.message));
  const wasKilled = farm.diedAt === null;
  await farm.kill();
  if (!wasKilled && !farm.said.includes(`crash point ${point}`)) miss(`the farm died elsewhere: ${farm.said.slice(-300)}`);
  world.noteFault(farm.pid, farm.diedAt ?? Date.now());
}

/** @param dataDir null: it runs already */
async function end(world: World, farm: FarmProcess, dataDir: string | null): Promise<WorldEvidence> {
  world.site.faults.dropReply = 0;
  if (dataDir !== null) await farm.start(world.order(dataDir));
  if (!(await world.settled(farm, ENDS_WITHIN_MS))) world.say(`not all has ended: ${JSON.stringify(await farm.status())}`);
  const evidence = await world.evidence(farm);
  await farm.stop();
  return evidence;
}
