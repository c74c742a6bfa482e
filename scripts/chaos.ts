import { globSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { styleText } from "node:util";
import { printVerdicts, type ChaosVerdict } from "../src/cli/chaos/verdict.ts";
import { ScenarioSkipped, type ChaosContext, type ChaosScenario } from "../test/chaos/support/scenario.ts";

/**
 * The fault plan: scenarios two at a time, then one table. The verdicts come from what the site and the manager saw. Ends in
 * `N passed, N failed`.
 *
 *     npm run test:chaos -- [name or part of names …]        CHAOS=long: the full numbers, for a night
 */
const AT_A_TIME = 2;
const PROBLEMS_SAID = 20;
const LIMIT_MS = 14 * 60_000;
const LONG_LIMIT_MS = 10 * 3600_000;
const CLEAN_UP_MS = 30_000;

const filters = process.argv.slice(2);
const long = process.env["CHAOS"] === "long";
const project = fileURLToPath(new URL("..", import.meta.url));
const started = performance.now();
const everything = new AbortController();

// Scenarios end what they started; what ends us outright closes their children's channels.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    everything.abort(new Error("ended"));
    setTimeout(() => process.exit(130), CLEAN_UP_MS).unref();
  });
}
process.once("disconnect", () => process.exit(1));
process.channel?.unref();

type Outcome = { kind: "verdict"; verdict: ChaosVerdict } | { kind: "skipped"; why: string } | { kind: "broken"; why: string };

function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

const clock = (): string => `${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s`;

async function load(): Promise<ChaosScenario[]> {
  const all: ChaosScenario[] = [];
  for (const file of globSync("test/chaos/scenarios/*.ts", { cwd: project }).sort()) {
    const loaded = (await import(pathToFileURL(`${project}/${file}`).href)) as { scenario: ChaosScenario };
    all.push(loaded.scenario);
  }
  const named = all.filter(({ name }) => filters.includes(name));
  return named.length > 0 ? named : all.filter(({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
}

async function run(scenario: ChaosScenario): Promise<Outcome> {
  const size: ChaosContext["size"] = (ci, full) => (long ? full : ci);
  const limitMs = scenario.limitMs?.({ size, long }) ?? (long ? LONG_LIMIT_MS : LIMIT_MS);
  const limit = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([limit, everything.signal]);
  const steps: (() => Promise<void> | void)[] = [];
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  signal.addEventListener("abort", () =>
    ended.reject(new Error(limit.aborted ? `it did not end within ${Math.round(limitMs / 1000)} s` : "it was ended")),
  );
  const tell = (text: string): void => say(`${clock()}  ${scenario.name}: ${text}`);
  try {
    const running = scenario.run({ long, size, signal, say: tell, after: (step) => void steps.push(step) });
    return { kind: "verdict", verdict: await Promise.race([running, ended.promise]) };
  } catch (error) {
    if (error instanceof ScenarioSkipped) return { kind: "skipped", why: error.message };
    return { kind: "broken", why: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    for (const step of steps.toReversed())
      await Promise.resolve()
        .then(step)
        .catch((error: unknown) => tell(`cleaning up: ${String(error)}`));
  }
}

const marks = { passed: styleText("green", "ok  "), failed: styleText("red", "FAIL"), skipped: styleText("yellow", "skip") } as const;

function sayOutcome(scenario: ChaosScenario, outcome: Outcome, tookMs: number): void {
  const passed = outcome.kind === "verdict" && outcome.verdict.ok;
  const mark = outcome.kind === "skipped" ? marks.skipped : passed ? marks.passed : marks.failed;
  say(`${mark} ${scenario.name}  ${(tookMs / 1000).toFixed(1)} s${outcome.kind === "skipped" ? `  ${outcome.why}` : ""}`);
}

const scenarios = await load();
const outcomes = new Map<ChaosScenario, Outcome>();
const waiting = [...scenarios];
async function lane(): Promise<void> {
  for (let next = waiting.shift(); next && !everything.signal.aborted; next = waiting.shift()) {
    const from = performance.now();
    const outcome = await run(next);
    outcomes.set(next, outcome);
    sayOutcome(next, outcome, performance.now() - from);
  }
}
await Promise.all(Array.from({ length: AT_A_TIME }, lane));

const verdicts: ChaosVerdict[] = [];
let failed = scenarios.length - outcomes.size;
let skipped = 0;
for (const scenario of scenarios) {
  const outcome = outcomes.get(scenario);
  if (outcome?.kind === "verdict") {
    verdicts.push(outcome.verdict);
    if (outcome.verdict.ok) continue;
    const { problems } = outcome.verdict;
    for (const problem of problems.slice(0, PROBLEMS_SAID)) say(`${marks.failed} ${scenario.name}: ${problem}`);
    if (problems.length > PROBLEMS_SAID) say(`${marks.failed} ${scenario.name}: and ${problems.length - PROBLEMS_SAID} more`);
  }
  if (outcome?.kind === "broken") say(`${marks.failed} ${scenario.name}: ${outcome.why}`);
  if (outcome?.kind === "skipped") skipped += 1;
  else if (outcome) failed += 1;
}
say();
say(printVerdicts(verdicts));
say();
if (scenarios.length === 0) say(`No scenario's name contains ${filters.join(" or ")}.`);
say(`${scenarios.length - failed - skipped} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
// A scenario that did not end in time may have left something that keeps this process alive.
process.exit(failed > 0 || scenarios.length === 0 ? 1 : 0);
