import { globSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { styleText } from "node:util";
import { missingPackages, type RealSite } from "../test/sites/real/real-site.ts";
import { aptCommand, aptInstall, debianRefusal } from "./setup/debian.mjs";
import { endAll, runFiles, type TestResult } from "./testing/run-files.ts";

/**
 * The drivers against real software: brings the Debian packages that it is made of (as root), then runs the tests of each
 * site, one file after the other. Where packages can't be brought, the site is skipped with the reason. Ends in
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

async function run(file: string): Promise<readonly TestResult[]> {
  const from = performance.now();
  const { results, output, notes } = await runFiles([file], QUIET_LIMIT_MS, ({ outcome, name, ms, detail }) => {
    const skippedWhy = outcome === "skipped" && detail ? `: ${detail}` : "";
    say(`${marks[outcome]} ${name}${skippedWhy}  ${(ms / 1000).toFixed(1)} s`);
  });
  const failed = results.filter(({ outcome }) => outcome === "failed");
  for (const { name, detail } of failed) say(`\n${marks.failed} ${file}: ${name}\n${detail.replaceAll(/^/gm, "     ")}`);
  if (output.trim()) say(output.trimEnd().split("\n").slice(-60).join("\n"));
  for (const note of notes) say(`note ${note}`);
  say(`     ${file}  ${seconds(from)}`);
  return results;
}

const wanted = await jobs();
const trouble = await bring([...new Set(wanted.flatMap(({ site }) => site.packages))]);
const results: TestResult[] = [];
let sitesSkipped = 0;
for (const { site, files } of wanted) {
  const lacks = missingPackages(site.packages);
  if (lacks.length > 0) {
    say(`${marks.skipped} ${site.name}: ${lacks.join(", ")} missing (${trouble ?? "apt-get brought nothing"})`);
    sitesSkipped += 1;
    continue;
  }
  say(`\n${site.name}`);
  for (const file of files) results.push(...(await run(file)));
}

const count = (outcome: TestResult["outcome"]): number => results.filter((result) => result.outcome === outcome).length;
const [failed, skipped] = [count("failed"), count("skipped")];
say();
if (wanted.length === 0) say(`No test of a real site has ${filters.join(" or ")} in its path.`);
const left = [skipped > 0 && `${skipped} skipped`, sitesSkipped > 0 && `${sitesSkipped} ${sitesSkipped === 1 ? "site" : "sites"} skipped`];
say(`     ${seconds(started)}`);
say([`${count("passed")} passed`, `${failed} failed`, ...left.filter(Boolean)].join(", "));
process.exitCode = failed > 0 || wanted.length === 0 ? 1 : 0;
