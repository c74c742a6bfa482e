import { readFile } from "node:fs/promises";
import { createFileSource, type FileResult } from "../coordinator/file-source.ts";
import type { Config } from "../kit/config.ts";
import { createLog } from "../kit/log.ts";
import { showFarm } from "./farm-view.ts";
import { farmStage, storeStage, type Parts } from "./parts.ts";
import { styled, table, type Cell } from "./table.ts";
import { untilAsked } from "./signals.ts";
import { startStages } from "./stages.ts";

/** Posting a file may take as long as it has work; a week without an end is a mistake. */
const DEADLINE_MS = 7 * 24 * 3600 * 1000;

/** Posts the tasks of a file. What was posted before, by this data folder, is not posted again. @returns 0 when all are completed */
export async function runFile(config: Config, file: string, json: boolean): Promise<number> {
  const source = await createFileSource(file);
  const parts: Parts = {};
  const view = showFarm(() => parts.farm);
  const log = createLog({ level: config.logLevel, format: config.logFormat, stream: view.stream });
  const asked = untilAsked(log);
  const stop = await startStages([storeStage(config, log, parts), farmStage(config, log, parts, { source: () => source })], log);
  const { farm } = parts;
  if (!farm) throw new Error("the farm did not come up");
  try {
    await farm.start();
    const ended = await Promise.race([farm.idle({ deadlineMs: DEADLINE_MS }).then(() => null), asked]);
    view.stop();
    if (ended !== null) return ended;
    const results = JSON.parse(await readFile(source.resultPath, "utf8")) as Record<string, FileResult>;
    const mine = source.taskIds.map((id) => [id, results[id]] as const);
    if (json) process.stdout.write(`${JSON.stringify(Object.fromEntries(mine))}\n`);
    else process.stdout.write(`${table(mine.flatMap(([id, result]) => rows(id, result)))}\n\nKept in ${source.resultPath}\n`);
    return mine.every(([, result]) => result?.status === "completed") ? 0 : 1;
  } finally {
    view.stop();
    await stop();
  }
}

function rows(id: string, result: FileResult | undefined): Cell[][] {
  if (result?.status !== "completed") return [[styled("red", "✗"), id, result?.status ?? "not started", result?.error_message ?? ""]];
  const links = Object.values(result.links ?? {});
  return [
    ...(links.length > 0 ? links : [result.link_post ?? ""]).map((link, index) => [
      styled("green", "✓"),
      index === 0 ? id : "",
      styled("cyan", link),
    ]),
    ["", "", `RSS ${result.link_rss ?? "-"}`],
  ];
}
