import { existsSync } from "node:fs";
import { styleText } from "node:util";
import { sayFailure } from "../contract/failures.ts";
import { createFileSource } from "../coordinator/file-source.ts";
import { createManagerSource } from "../coordinator/manager-source.ts";
import type { Source } from "../coordinator/source.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { createLog } from "../kit/log.ts";
import { sayNewest } from "./evidence.ts";
import { farmStage, storeStage, type Parts } from "./parts.ts";
import { untilAsked } from "./signals.ts";
import { startStages } from "./stages.ts";
import { workerId } from "./worker-id.ts";

export interface DebugOptions {
  /** A step's name as it is printed; the run ends when it begins. */
  until: string | undefined;
  /** Between the browser's actions, ms. */
  slowMs: number;
  publish: boolean;
}

const DEADLINE_MS = 60 * 60_000;

/** One task, watched: each step is a line. Stops before the irreversible step unless `publish`. @returns 0 when it got as far as it was meant to */
export async function debug(config: Config, task: string, { until, slowMs, publish }: DebugOptions): Promise<number> {
  if (!Number.isFinite(slowMs) || slowMs < 0) throw new UsageError("--slow takes a number of milliseconds, for example --slow 200.");
  const source = await oneTask(config, task, publish);
  const parts: Parts = {};
  const log = createLog({ level: config.logLevel, format: "pretty" });
  const asked = untilAsked(log);
  const stop = await startStages(
    [
      storeStage(config, log, parts),
      farmStage({ ...config, concurrency: 1 }, log, parts, { source: () => source, mode: publish ? "post" : "rehearse", slowMoMs: slowMs }),
    ],
    log,
  );
  const { farm } = parts;
  if (!farm) throw new Error("the farm did not come up");
  const reached = Promise.withResolvers<"reached">();
  let failed: string | null = null;
  let rehearsed = false;
  farm.events.on("step", ({ position, total, step, detail }) => {
    sayStep(position, total, step, detail);
    if (step === "rehearsed") rehearsed = true;
    if (step === until || (rehearsed && !publish)) reached.resolve("reached");
  });
  let evidence: readonly string[] = [];
  farm.events.on("task", ({ failure }) => {
    if (!failure) return;
    failed = sayFailure(failure);
    evidence = failure.evidence ?? [];
  });
  try {
    await farm.start();
    const end = await Promise.race([farm.idle({ deadlineMs: DEADLINE_MS }).then(() => "idle" as const), reached.promise, asked]);
    if (typeof end === "number") return end;
    if (end === "reached")
      process.stdout.write(
        until && !rehearsed
          ? `Stopped at "${until}"; nothing was published.\n`
          : "Rehearsed up to the irreversible step; nothing was published, the draft was put away.\n",
      );
    else if (failed) process.stdout.write(`${styleText("red", "✗")} ${failed as string}\n${await sayNewest(evidence)}`);
    else if (!publish && until === undefined) process.stdout.write("There was nothing left to rehearse: the site has all episodes.\n");
    else process.stdout.write("Posted.\n");
    return failed ? 1 : 0;
  } finally {
    await stop();
  }
}

export function sayStep(position: number, total: number, step: string, detail: string): void {
  process.stderr.write(`${styleText("dim", `${position}/${total}`)} ${styleText("cyan", step.padEnd(10))} ${detail}\n`);
}

/** The task of a file, or of the manager by its id. With `publish` the manager gets the reports; without, nobody does. */
async function oneTask(config: Config, task: string, publish: boolean): Promise<Source> {
  if (existsSync(task)) return createFileSource(task);
  if (!config.managerUrl || !config.apiKey)
    throw new UsageError(`There is no file ${task}. Name a task file, or set MANAGER_URL and API_KEY and name a task's id.`);
  const manager = createManagerSource({
    url: config.managerUrl,
    apiKey: config.apiKey,
    workerId: config.workerId ?? (await workerId(config.data)),
  });
  const answer = await manager.read(task);
  if (answer.kind === "gone")
    throw new UsageError(`The manager at ${config.managerUrl} has no task ${task}, and there is no file of this name.`);
  if (answer.kind === "again") throw new UsageError(`The manager at ${config.managerUrl} can't be asked: ${answer.why}.`);
  return {
    ...manager,
    once: true,
    pull: async () => ({ kind: "tasks", tasks: [answer.task], broken: [] }),
    ...(!publish && { deliver: async () => ({ kind: "delivered" as const }) }),
  };
}
