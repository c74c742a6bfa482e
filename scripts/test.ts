import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs, styleText } from "node:util";
import { endAll, runFiles, type RunOutcome, type TestResult } from "./testing/run-files.ts";

/**
 * The suite, two processes side by side: unit tests in groups, then each `*.slow.test.ts` (browsers, child processes, kills) in a process
 * of its own. Ends in `N passed, N failed`.
 *
 *     npm test -- [part of a path …] [--limit SECONDS]
 */
const AT_A_TIME = 2;
const FILES_A_PROCESS = 12;

const { values, positionals: filters } = parseArgs({ allowPositionals: true, options: { limit: { type: "string", default: "180" } } });
const limitMs = Number(values.limit) * 1000;
process.chdir(fileURLToPath(new URL("..", import.meta.url)));

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    endAll();
    process.exit(130);
  });
}
process.once("disconnect", () => {
  endAll();
  process.exit(1);
});
process.channel?.unref();

const marks = { passed: styleText("green", "ok  "), failed: styleText("red", "FAIL"), skipped: styleText("yellow", "skip") } as const;

function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

function sayFailure({ name, detail, ms }: TestResult): void {
  say(`     ${name} (${(ms / 1000).toFixed(1)} s)`);
  say(detail.replaceAll(/^/gm, "       "));
}

function sayFile(file: string, results: readonly TestResult[]): void {
  const failed = results.filter((result) => result.outcome === "failed").length;
  const skipped = results.filter((result) => result.outcome === "skipped").length;
  const seconds = results.reduce((sum, result) => sum + result.ms, 0) / 1000;
  const mark = failed > 0 ? marks.failed : skipped === results.length ? marks.skipped : marks.passed;
  say(
    `${mark} ${file}  ${results.length - failed - skipped} of ${results.length}${skipped > 0 ? `, ${skipped} skipped` : ""}  ${seconds.toFixed(1)} s`,
  );
  // At once: what is cut off later is cut off at the end.
  for (const result of results) if (result.outcome === "failed") sayFailure(result);
}

async function runInLanes<T>(waiting: T[], run: (next: T) => Promise<void>): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}

/** A few at a time: a process keeps what its tests held to its end, and is slow with gigabytes of it. */
async function runFast(files: readonly string[]): Promise<RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  const groups = Array.from({ length: Math.ceil(files.length / FILES_A_PROCESS) }, (_, index) =>
    files.slice(index * FILES_A_PROCESS, (index + 1) * FILES_A_PROCESS),
  );
  await runInLanes(groups, async (group) => void outcomes.push(...(await runUnits(group))));
  return outcomes;
}

/** When a file hangs or takes the process down, the ones after it get a new process. */
async function runUnits(files: readonly string[]): Promise<RunOutcome[]> {
  if (files.length === 0) return [];
  let current: TestResult[] = [];
  const flush = (): void => {
    if (current[0]) sayFile(current[0].file, current);
    current = [];
  };
  const outcome = await runFiles(files, limitMs, (result) => {
    if (current[0] && current[0].file !== result.file) flush();
    current.push(result);
  });
  flush();
  const last = outcome.results.at(-1)?.file;
  const rest = outcome.complete ? [] : files.slice(Math.max(1, files.indexOf(last ?? "") + 1));
  return [outcome, ...(await runUnits(rest))];
}

async function runSlow(files: readonly string[]): Promise<RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  await runInLanes([...files], async (file) => {
    const outcome = await runFiles([file], limitMs);
    sayFile(file, outcome.results);
    outcomes.push(outcome);
  });
  return outcomes;
}

function report(outcomes: readonly RunOutcome[]): number {
  const results = outcomes.flatMap((outcome) => outcome.results);
  const of = (outcome: TestResult["outcome"]): TestResult[] => results.filter((result) => result.outcome === outcome);
  const failed = of("failed");
  for (const outcome of outcomes) {
    if (!outcome.results.some((result) => result.outcome === "failed") || !outcome.output.trim()) continue;
    say(
      `\n--- printed by ${outcome.results.length > 0 && new Set(outcome.results.map(({ file }) => file)).size === 1 ? outcome.results[0]?.file : "the unit tests"} (last lines)`,
    );
    say(outcome.output.trimEnd().split("\n").slice(-60).join("\n"));
  }
  say();
  for (const { file, name, detail } of failed) say(`${marks.failed} ${file}: ${name}: ${detail.split("\n", 1)[0]}`);
  for (const { file, name, detail } of of("skipped")) say(`${marks.skipped} ${file}: ${name}${detail ? `: ${detail}` : ""}`);
  for (const note of outcomes.flatMap((outcome) => outcome.notes)) say(`note ${note}`);
  if (results.length === 0) say(filters.length > 0 ? `No test file's path contains ${filters.join(" or ")}.` : "No test was found.");
  const skipped = of("skipped").length;
  say(`${of("passed").length} passed, ${failed.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return failed.length > 0 || results.length === 0 ? 1 : 0;
}

// What needs other people's software has a command of its own: npm run test:sites.
const files = globSync("test/**/*.test.ts", { exclude: ["test/sites/real/**"] })
  .sort()
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
const isSlow = (file: string): boolean => file.endsWith(".slow.test.ts");
process.exitCode = report([...(await runFast(files.filter((file) => !isSlow(file)))), ...(await runSlow(files.filter(isSlow)))]);
