import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs, styleText } from "node:util";
import { table } from "../src/cli/table.ts";
import { everyRule, type Rules } from "../src/coordinator/rules.ts";
import { Database } from "../test/simulation/database.ts";
import type { Done, Order } from "../test/simulation/lane.ts";
import { shrink } from "../test/simulation/shrink.ts";
import { simulate, type SeedResult } from "../test/simulation/simulate.ts";
import { addTotals, noTotals, type Totals } from "../test/simulation/totals.ts";

/**
 * The coordinator's core under a seeded simulation: clock, store, site, manager and worker are ports. All seeds with every rule
 * on, where nothing may go wrong, then each rule of the protocol off, where something has to. Ends in `N passed, N failed`.
 *
 *     npm run test:simulation                                    10,000 seeds, the seven mutants
 *     npm run test:simulation -- --seeds N [--from S]            so many seeds
 *     npm run test:simulation -- --mutants                       the mutants alone
 *     npm run test:simulation -- --seed S [--without RULE]       one seed, with its story
 */
const PROCESSES = 2;
const BATCH = 50;
const MUTANT_SEEDS = 1000;
const DIGESTED = 25;
const rules = Object.keys(everyRule) as (keyof Rules)[];

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    without: { type: "string" },
    mutants: { type: "boolean", default: false },
  },
});
const without = values.without === undefined ? null : readRule(values.without);
const from = readNumber("from", values.from);
const started = performance.now();

process.once("disconnect", () => process.exit(1));
process.channel?.unref();

function readRule(name: string): keyof Rules {
  const rule = rules.find((one) => one === name);
  if (rule) return rule;
  process.stderr.write(`--without: one of ${rules.join(", ")}\n`);
  process.exit(2);
}

function readNumber(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  process.stderr.write(`--${name}: a whole number, not ${text}\n`);
  process.exit(2);
}

function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(0)} s`;

/** One of the processes that work through seeds, one order at a time. */
class Lane {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL("../test/simulation/lane.ts", import.meta.url)), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
  }

  async ask<Kind extends Order["kind"]>(order: Extract<Order, { kind: Kind }>): Promise<Extract<Done, { kind: Kind }>> {
    const { promise, resolve, reject } = Promise.withResolvers<Extract<Done, { kind: Kind }>>();
    const ended = (code: number | null): void =>
      reject(new Error(`a process of the simulation ended with ${code} at ${JSON.stringify(order)}`));
    this.#child.once("exit", ended);
    this.#child.once("message", (done: Done) => resolve(done as Extract<Done, { kind: Kind }>));
    this.#child.send(order);
    return promise.finally(() => this.#child.off("exit", ended));
  }

  end(): void {
    this.#child.disconnect();
  }
}

/** Every lane takes the next order when it is done with the one before. */
async function share<Kind extends Order["kind"]>(
  lanes: readonly Lane[],
  orders: readonly Extract<Order, { kind: Kind }>[],
  heard: (done: Extract<Done, { kind: Kind }>) => void,
): Promise<void> {
  const waiting = [...orders];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let order = waiting.shift(); order; order = waiting.shift()) heard(await lane.ask<Kind>(order));
    }),
  );
}

async function runSeeds(lanes: readonly Lane[], count: number): Promise<Totals> {
  const totals = noTotals();
  const orders = Array.from({ length: Math.ceil(count / BATCH) }, (_, number) => ({
    kind: "seeds" as const,
    from: from + number * BATCH,
    count: Math.min(BATCH, count - number * BATCH),
    without,
  }));
  let saidAt = performance.now();
  await share(lanes, orders, (done) => {
    addTotals(totals, done.totals);
    if (performance.now() - saidAt < 10_000 && totals.seeds < count) return;
    saidAt = performance.now();
    process.stderr.write(`${seconds().padStart(6)}  ${totals.seeds} of ${count} seeds, ${totals.failing.length} with a violation\n`);
  });
  totals.failing.sort((a, b) => a.seed - b.seed);
  return totals;
}

function printTotals(totals: Totals, ms: number): void {
  const { seeds, episodes, faults, duplicated, lost, limbo, otherWrongs, inDoubt, requests, virtualMs, statements } = totals;
  const doubts = Object.entries(inDoubt).map(([tier, count]) => `${tier} ${count}`);
  const struck = Object.entries(faults).toSorted((a, b) => b[1] - a[1]);
  const sum = struck.reduce((all, [, times]) => all + times, 0);
  say();
  say(
    table([
      ["seeds", "episodes", "faults", "requests", "duplicated", "lost", "limbo", "other", "in doubt", "seconds"],
      [seeds, episodes, sum, requests, duplicated, lost, limbo, otherWrongs, doubts.join(", ") || "0", (ms / 1000).toFixed(1)].map(String),
    ]),
  );
  say();
  say(`faults: ${struck.map(([kind, times]) => `${kind} ${times}`).join(", ")}`);
  say(`${(virtualMs / 3600_000).toFixed(0)} h of virtual time, ${statements} statements, ${(ms / seeds).toFixed(1)} ms a seed`);
}

async function runMutants(lanes: readonly Lane[]): Promise<number> {
  const rows: { rule: keyof Rules; cells: string[]; dead: boolean }[] = [];
  const orders = rules.map((rule) => ({ kind: "mutant" as const, rule, from, count: MUTANT_SEEDS }));
  await share(lanes, orders, ({ rule, caught }) => {
    const cells = caught ? [String(caught.seed), caught.violation.wrong, caught.violation.what] : ["-", "not caught", ""];
    rows.push({ rule, cells: [rule, ...cells], dead: caught !== null });
    process.stderr.write(
      `${seconds().padStart(6)}  without ${rule}: ${caught ? `caught by seed ${caught.seed}` : `not caught within ${MUTANT_SEEDS} seeds`}\n`,
    );
  });
  rows.sort((a, b) => rules.indexOf(a.rule) - rules.indexOf(b.rule));
  say();
  say(table([["without", "seed", "shows", ""], ...rows.map(({ cells }) => cells)]));
  return rows.filter(({ dead }) => !dead).length;
}

/** A story with the way to see it again. */
function printStory(result: SeedResult): void {
  say(result.story());
  say();
  for (const { wrong, what } of result.violations) say(`${styleText("red", wrong)}: ${what}`);
  say(`again: npm run test:simulation -- --seed ${result.seed}${without ? ` --without ${without}` : ""}`);
}

async function printFirst(seed: number): Promise<void> {
  const database = await Database.open();
  const options = { seed, rules: without ? { [without]: false } : {} };
  say();
  printStory(await simulate(database, options));
  const needed = await shrink(database, options);
  say(`it takes: ${needed.join(", ") || "no fault at all"}`);
  await database.close();
}

async function main(): Promise<number> {
  if (values.seed !== undefined) {
    const database = await Database.open();
    const result = await simulate(database, { seed: readNumber("seed", values.seed), rules: without ? { [without]: false } : {} });
    printStory(result);
    return finish(result.violations.length > 0 ? 0 : 1, result.violations.length > 0 ? 1 : 0);
  }
  const lanes = Array.from({ length: PROCESSES }, () => new Lane());
  let [passed, failed] = [0, 0];
  const count = (isGood: boolean): void => void (isGood ? (passed += 1) : (failed += 1));
  try {
    const all = values.seeds === undefined && without === null;
    if (!values.mutants) {
      const begun = performance.now();
      const totals = await runSeeds(lanes, readNumber("seeds", values.seeds ?? "10000"));
      printTotals(totals, performance.now() - begun);
      count(totals.failing.length === 0);
      const [first] = totals.failing;
      if (first) await printFirst(first.seed);
      if (totals.failing.length > 1)
        say(`seeds with a violation: ${totals.failing.map(({ seed, first: { wrong } }) => `${seed} (${wrong})`).join(", ")}`);
    }
    if (values.mutants || all) {
      const alive = await runMutants(lanes);
      passed += rules.length - alive;
      failed += alive;
    }
    if (all) {
      const digests = await Promise.all(lanes.map(async (lane) => lane.ask<"digest">({ kind: "digest", from, count: DIGESTED })));
      const same = new Set(digests.map(({ digest }) => digest)).size === 1;
      say();
      say(`the stories of ${DIGESTED} seeds are ${same ? "the same" : styleText("red", "not the same")} in ${PROCESSES} processes`);
      count(same);
    }
  } finally {
    for (const lane of lanes) lane.end();
  }
  return finish(passed, failed);
}

function finish(passed: number, failed: number): number {
  say();
  say(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main();
