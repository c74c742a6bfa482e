import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { withDeadline } from "../src/kit/deadline.ts";
import { managerParts } from "./bench/manager/run.ts";

const HELP = `What Podcrew costs, and what it can do. Only the ratios mean something on another machine.

    npm run bench -- [farm] [--tasks N] [--rounds N] [--concurrency N]
        the farm beside a bare Playwright script on the same tasks
    npm run bench -- manager [${managerParts.join(" | ")}] [--quick] [--json]
        the manager's APIs on PGlite and on PostgreSQL; takes a quarter of an hour

    npm run bench -- feed [--quick] [--json]
        a show of ten thousand episodes: its feed built whole, one more, read again; on both databases

    --quick    tiny sizes: whether the bench runs
    --json     figures for programs
`;
const LIMIT_MS = 60 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tasks: { type: "string", default: "6" },
    rounds: { type: "string", default: "3" },
    concurrency: { type: "string", default: "4" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const [bench = "farm", ...parts] = positionals;
const known =
  bench === "manager" ? parts.every((part) => managerParts.includes(part)) : ["farm", "feed"].includes(bench) && parts.length === 0;

if (values.help || !known) {
  (values.help ? process.stdout : process.stderr).write(HELP);
  process.exit(values.help ? 0 : 2);
}

const folder = await mkdtemp(join(tmpdir(), `podcrew-bench-${process.pid}-`));
const leave = (code: number): never => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => leave(130));
process.once("disconnect", () => leave(1));
process.channel?.unref();

try {
  const { report, right } = await withDeadline(LIMIT_MS, "the bench", run);
  process.stdout.write(`${report}\n`);
  process.exitCode = right ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function run(): Promise<{ report: string; right: boolean }> {
  const { quick, json } = values;
  if (bench === "manager") return (await import("./bench/manager/run.ts")).benchManager(folder, { parts, quick, json });
  if (bench === "feed") return (await import("./bench/feed.ts")).benchFeed(folder, { quick, json });
  const [tasks, rounds, concurrency] = [values.tasks, values.rounds, values.concurrency].map(Number) as [number, number, number];
  const done = await (await import("./bench/farm-costs.ts")).benchFarm(folder, { tasks, rounds, concurrency });
  return { ...done, report: `${done.report}\n\nThe manager has a bench of its own: npm run bench -- manager` };
}
