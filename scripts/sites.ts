import { globSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { styleText } from "node:util";
import { missingPackages, type RealSite } from "../test/sites/real/real-site.ts";
import { aptCommand, aptInstall, debianRefusal } from "./setup/debian.mjs";
import { endAll, runFiles, type TestResult } from "./testing/run-files.ts";

/**
 * The drivers against real software: brings the Debian packages that it is made of (as root), then runs the tests of each
 * site, one file after the other, the sites side by side: signing in is mostly waiting for the next code. What measures time
 * has the machine to itself. Where packages can't be brought, the site is skipped with the reason. Ends in
 * `N passed, N failed`.
 *
 *     npm run test:sites -- [part of a path …]
 */
const QUIET_LIMIT_MS = 15 * 60_000;

const filters = process.argv.slice(2);
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
const started = performance.now();

function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

interface Job {
  site: RealSite;
  files: string[];
}

/** The sites with a test whose path is asked for. */
async function jobs(): Promise<Job[]> {
  const all = await Promise.all(
    globSync("test/sites/real/*/site.ts")
      .sort()
      .map(async (path): Promise<Job> => {
        const { site } = (await import(pathToFileURL(path).href)) as { site: RealSite };
        const files = globSync(`${path.slice(0, -"site.ts".length)}*.slow.test.ts`).sort();
        return { site, files: files.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter))) };
      }),
  );
  return all.filter(({ files }) => files.length > 0);
}

/** Debian's packages for all sites in one go. @returns why some are missing still; null: none is */
async function bring(packages: readonly string[]): Promise<string | null> {
  const lacks = missingPackages(packages);
  if (lacks.length === 0) return null;
  const refusal = debianRefusal();
  if (refusal) return `${refusal}: ${aptCommand(lacks)}`;
  say(`     apt-get brings ${lacks.join(", ")} …`);
  const from = performance.now();
  const trouble = await aptInstall(lacks, process.env);
  say(`     … ${trouble ?? "done"} (${seconds(from)})`);
  return trouble;
}

const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(1)} s`;

async function run(site: string, file: string): Promise<readonly TestResult[]> {
  const from = performance.now();
  const { results, notes } = await runFiles(
    [file],
    QUIET_LIMIT_MS,
    ({ outcome, name, ms, detail }) => {
      const skippedWhy = outcome === "skipped" && detail ? `: ${detail}` : "";
      say(`${marks[outcome]} ${site}: ${name}${skippedWhy}  ${(ms / 1000).toFixed(1)} s`);
      if (outcome === "failed") say(detail.replaceAll(/^/gm, "       "));
    },
    (text) => say(text.trimEnd().replaceAll(/^/gm, "     ")),
  );
  for (const note of notes) say(`note ${note}`);
  say(`     ${file}  ${seconds(from)}`);
  return results;
}

/** @returns null where it can't be brought up here */
async function runSite({ site, files }: Job): Promise<TestResult[] | null> {
  const lacks = missingPackages(site.packages);
  if (lacks.length > 0) {
    say(`${marks.skipped} ${site.name}: ${lacks.join(", ")} missing (${trouble ?? "apt-get brought nothing"})`);
    return null;
  }
  const done: TestResult[] = [];
  for (const file of files) done.push(...(await run(site.name, file)));
  return done;
}

const wanted = await jobs();
const trouble = await bring([...new Set(wanted.flatMap(({ site }) => site.packages))]);
const ends = await Promise.all(wanted.filter(({ site }) => !site.measures).map(runSite));
for (const job of wanted.filter(({ site }) => site.measures)) ends.push(await runSite(job));
const results = ends.flatMap((end) => end ?? []);
const sitesSkipped = ends.filter((end) => end === null).length;

const count = (outcome: TestResult["outcome"]): number => results.filter((result) => result.outcome === outcome).length;
const [failed, skipped] = [count("failed"), count("skipped")];
say();
if (wanted.length === 0) say(`No test of a real site has ${filters.join(" or ")} in its path.`);
const left = [skipped > 0 && `${skipped} skipped`, sitesSkipped > 0 && `${sitesSkipped} ${sitesSkipped === 1 ? "site" : "sites"} skipped`];
say(`     ${seconds(started)}`);
say([`${count("passed")} passed`, `${failed} failed`, ...left.filter(Boolean)].join(", "));
process.exitCode = failed > 0 || wanted.length === 0 ? 1 : 0;
