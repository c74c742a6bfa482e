import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { styleText } from "node:util";
import { generateSecret } from "otplib";
import type { Config } from "../kit/config.ts";
import { createLog, type Log } from "../kit/log.ts";
import { addSecret } from "../kit/redact.ts";
import type { Manager } from "../manager/manager.ts";
import type { TaskView } from "../manager/task-list.ts";
import type { Studio } from "../studio/studio.ts";
import { demoEpisodes, demoRequestId, demoShow } from "./demo-content.ts";
import { showFarm } from "./farm-view.ts";
import { farmStage, firstKey, managerStage, storeStage, studioStage, type Parts } from "./parts.ts";
import { table } from "./progress.ts";
import { untilAsked } from "./signals.ts";
import { startStages } from "./stages.ts";

/** `<PODCREW_DATA>/demo.json`, readable by its owner only. */
interface DemoFile {
  manager: { url: string; apiKey: string };
  studio: { url: string; adminKey: string; email: string; password: string; totpSecret: string };
  taskApi: { url: string };
}

/** What `--json` prints, on one line. */
export interface DemoResult {
  ok: boolean;
  status: string;
  episodes: { id: string; title: string; link: string }[];
  link_rss: string;
  error: string;
  /** From the start of this process to the last report, s. */
  seconds: number;
  studio: string;
  manager: string;
}

const EMAIL = "demo@podcrew.example";
const POLL_MS = 200;
/** Three narrated episodes take well under a minute; a slow machine gets ten. */
const DEADLINE_MS = 10 * 60_000;

export async function demo(config: Config, { once, json }: { once: boolean; json: boolean }): Promise<number> {
  const parts: Parts = {};
  const view = showFarm(() => parts.farm);
  const log = createLog({ level: config.logLevel, format: config.logFormat, stream: view.stream });
  const asked = untilAsked(log);
  const stop = await startStages(
    [
      storeStage(config, log, parts),
      managerStage(config, log, parts),
      studioStage(config, log, parts),
      farmStage(config, log, parts, { allowPrivate: () => [new URL(parts.studio?.url ?? "").host] }),
    ],
    log,
  );
  const { manager, studio, farm } = parts;
  if (!manager || !studio || !farm) throw new Error("a part did not come up");
  try {
    const taskId = await makeDemo(config, { manager, studio, taskApiUrl: farm.url }, log);
    await farm.start();
    const result = await Promise.race([settled(manager, taskId, studio.url), asked.then(() => null)]);
    // Asked to end before all was posted: the next start goes on, but this one did not do it.
    if (result === null) return once ? Math.max(1, await asked) : await asked;
    view.stop();
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else process.stdout.write(`${printout(result, config)}\n`);
    if (once) return result.ok ? 0 : 1;
    if (!json) log.info("Everything stays up until Ctrl+C.");
    return await asked;
  } finally {
    view.stop();
    await stop();
  }
}

/** Makes what is missing; a second start, also after a crash in the middle, finds what is there. @returns the task's id */
async function makeDemo(
  config: Config,
  { manager, studio, taskApiUrl }: { manager: Manager; studio: Studio; taskApiUrl: string },
  log: Log,
): Promise<string> {
  const path = join(config.data, "demo.json");
  const known = await readDemoFile(path);
  const password = known?.studio.password ?? randomBytes(9).toString("base64url");
  const totpSecret = known?.studio.totpSecret ?? generateSecret();
  for (const secret of [password, totpSecret]) addSecret(secret);
  const file: DemoFile = {
    manager: { url: manager.url, apiKey: (await firstKey(config)) ?? "" },
    studio: { url: studio.url, adminKey: await studioAdminKey(config), email: EMAIL, password, totpSecret },
    taskApi: { url: taskApiUrl },
  };
  // Before the account: one whose password nobody wrote down would be lost.
  await writeFile(`${path}.new`, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  const owner =
    (await studio.accounts.find(EMAIL)) ??
    (await studio.accounts.create({ email: EMAIL, password, secondFactor: "totp", totpSecret, name: "Demo" }));
  if (!(await studio.shows.find(demoShow.name)))
    await studio.shows.create({ ...demoShow, ownerId: owner.id, author: "Podcrew", ownerEmail: EMAIL, category: "Technology" });
  const { taskId, created } = await manager.makeTask({
    account: { email: EMAIL, password, twofa: totpSecret },
    website: studio.url,
    requestId: demoRequestId,
    name: "Demo",
    episodes: demoEpisodes(studio.url),
  });
  log.info(created ? `The demo task is made: 3 episodes for ${EMAIL} at ${studio.url}` : "The demo task of an earlier start is there.");
  return taskId;
}

async function readDemoFile(path: string): Promise<DemoFile | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as DemoFile;
  } catch {
    return null;
  }
}

async function studioAdminKey(config: Config): Promise<string> {
  try {
    return (JSON.parse(await readFile(join(config.data, "studio.json"), "utf8")) as { adminKey?: string }).adminKey ?? "";
  } catch {
    return "";
  }
}

/** Waits for the manager's word: completed with the feed link, or failed for good. */
async function settled(manager: Manager, taskId: string, studioUrl: string): Promise<DemoResult> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const task = await manager.task(taskId);
    const done = task?.status === "completed" && task.account.linkRss !== "";
    const over =
      task === null || task.status === "failed" || task.status === "cancel" || task.state === "needs_person" || Date.now() > deadline;
    if (done || over) return toResult(task, { ok: done, studio: studioUrl, manager: manager.url });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function toResult(task: TaskView | null, known: Pick<DemoResult, "ok" | "studio" | "manager">): DemoResult {
  const links = task?.note.startsWith("{") ? (JSON.parse(task.note) as Record<string, string>) : {};
  return {
    ...known,
    status: task?.status ?? "gone",
    episodes: (task?.episodes ?? []).map(({ id, title }) => ({ id, title, link: links[id] ?? "" })),
    link_rss: task?.account.linkRss ?? "",
    error: known.ok ? "" : task?.errorMessage || `the task did not end within ${DEADLINE_MS / 60_000} minutes`,
    seconds: Math.round(process.uptime() * 10) / 10,
  };
}

function printout(result: DemoResult, config: Config): string {
  const rows = result.episodes.map(({ title, link }, index) => [
    styleText("dim", String(index + 1)),
    title,
    link ? styleText("cyan", link) : styleText("yellow", "not posted"),
  ]);
  const end = result.ok
    ? styleText("green", `✓ ${rows.length} episodes published and reported, ${result.seconds} s after the start`)
    : styleText("red", `✗ ${result.status}: ${result.error}`);
  return [
    "",
    table(rows),
    "",
    `RSS     ${styleText("cyan", result.link_rss || "-")}`,
    `Studio  ${result.studio}  ${styleText("dim", `sign in with what stands in ${join(config.data, "demo.json")}`)}`,
    "",
    end,
  ].join("\n");
}
