import type { Rules } from "../../src/coordinator/rules.ts";
import { Checker, type Violation } from "./checker.ts";
import type { Database } from "./database.ts";
import { cardOf } from "./farm.ts";
import { layFaults } from "./faults.ts";
import { SimulatedFleet } from "./fleet.ts";
import { SimulatedManager } from "./manager.ts";
import { Mischief, type FaultKind } from "./mischief.ts";
import { diceOf } from "./random.ts";
import { drawScenario, type Scenario } from "./scenario.ts";
import { SimulatedSite } from "./site.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import type { World } from "./world.ts";

export interface SeedOptions {
  seed: number;
  /** Rules that are switched off. */
  rules?: Partial<Rules>;
  /** Kinds of faults that are left out. */
  dropped?: ReadonlySet<FaultKind>;
}

export interface SeedResult {
  seed: number;
  scenario: Scenario;
  violations: Violation[];
  episodes: number;
  /** Publish requests by episode. */
  requests: number[];
  inDoubt: { episode: string; why: string }[];
  /** How often each kind of fault struck. */
  faults: ReadonlyMap<FaultKind, number>;
  virtualMs: number;
  statements: number;
  /** The story of the seed, a line an event. */
  story: () => string;
}

/** From here on, what is not at its end never comes to one: the farm's longest back-off is 5 min, the manager's retries take 7. */
const LIMIT_MS = 60 * 60_000;
const LOOK_MS = 1000;

/** One seed, from an empty ledger to its verdict. The database is the caller's, and nobody else's meanwhile. */
export async function simulate(database: Database, { seed, rules = {}, dropped = new Set() }: SeedOptions): Promise<SeedResult> {
  database.reset();
  const scenario = drawScenario(seed, dropped);
  const timeline = new Timeline();
  const trace = new Trace(timeline);
  const checker = new Checker(timeline, ({ wrong, what }) => trace.say("CHECKER", `${wrong.toUpperCase()}: ${what}`));
  const dice = diceOf(seed, "world");
  const site: SimulatedSite = new SimulatedSite({
    timeline,
    dice,
    tier: scenario.tier,
    lagMs: scenario.lagMs,
    onHandled(request, post) {
      trace.say("site", `${request.episode} is published as ${post.id} (sent by ${request.farm} under f${request.fence})`);
      checker.madeCopy(site, request);
    },
  });
  const manager: SimulatedManager = new SimulatedManager(timeline, scenario.leases, (accepted) =>
    checker.accepted(site, scenario, manager, accepted),
  );
  for (const task of scenario.tasks) manager.add(task);
  const world: World = {
    scenario,
    rules,
    card: cardOf(scenario),
    timeline,
    dice,
    database,
    durability: { keepsCopies: false, copies: [] },
    mischief: new Mischief((machine, what) => trace.say(machine.name, `*** ${what}`)),
    site,
    manager,
    checker,
    trace,
    outageUntil: 0,
    siteDownUntil: 0,
  };
  trace.say("seed", tell(scenario));
  const fleet = new SimulatedFleet(world);
  const flushesByItself = scenario.backend === "postgres";
  database.events = {
    episodes(machine, rows) {
      for (const row of rows) trace.say(machine.name, `${row.episode_id} f${row.fence} -> ${row.state}`);
      checker.rowsMoved(machine, rows, flushesByItself);
      fleet.moved(machine, rows);
    },
    committed() {
      if (world.durability.keepsCopies) world.durability.copies.push(database.snapshot());
    },
  };
  layFaults(world, fleet);
  fleet.startAll();
  let lookAt = 0;
  const done = (): boolean => {
    if (timeline.elapsedMs < lookAt) return false;
    lookAt = timeline.elapsedMs + LOOK_MS;
    return fleet.atRest();
  };
  const ended = await timeline.run(done, () => LIMIT_MS + Math.max(0, world.outageUntil - timeline.start));
  const { inDoubt } = checker.atTheEnd(database, manager, ended);
  for (const machine of fleet.living()) machine.die();
  const byEpisode = Map.groupBy(site.sent, (sent) => `${sent.account}|${sent.episode}`);
  return {
    seed,
    scenario,
    violations: checker.violations,
    episodes: new Set(scenario.tasks.flatMap((task) => task.data_content.map(({ id }) => `${task.account_id}|${id}`))).size,
    requests: [...byEpisode.values()].map((sent) => sent.length),
    inDoubt,
    faults: world.mischief.injected,
    virtualMs: timeline.elapsedMs,
    statements: database.statements,
    story: () => trace.toString(),
  };
}

function tell(scenario: Scenario): string {
  const { seed, backend, farms, tier, marked, leases, tasks, leaseMs, stepTimeoutMs, lagMs, windowMs, faults } = scenario;
  const work = tasks.map(
    ({ id, account_id: account, data_content: content }) => `${id} on ${account}: ${content.map((one) => one.id).join(", ")}`,
  );
  return [
    `${seed}: ${farms} farm${farms > 1 ? "s" : ""} on ${backend}, site of tier ${tier}${marked ? "" : " without a marker"}, manager ${leases ? "with" : "without"} leases`,
    work.join("; "),
    `lease ${leaseMs} ms, request deadline ${stepTimeoutMs} ms, lag ${lagMs} ms, window ${windowMs} ms`,
    `faults: ${[...faults].join(", ") || "none"}`,
  ].join(". ");
}
