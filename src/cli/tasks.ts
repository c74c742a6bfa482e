import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import { taskRoutes, taskStatuses, type TaskStats, type TaskStatus, type TaskView } from "../contract/task-api.ts";
import type { FarmStatus } from "../coordinator/status.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { readJsonText } from "../kit/json-text.ts";
import { askFarm, askTasks } from "./farm-client.ts";
import { readerIsGone } from "./output.ts";
import { harmless, styled, table, type Cell } from "./table.ts";

const WATCH_EVERY_MS = 2000;
const colours = { pending: "yellow", running: "cyan", completed: "green", failed: "red" } as const;
const print = (text: string): void => void process.stdout.write(`${text}\n`);

export interface CreateOptions {
  username?: string[];
  serial?: string[];
  script: string;
  /** JSON, or @FILE that holds it. */
  config?: string;
  title?: string;
  captions?: string;
  material?: string[];
  multiAccount?: boolean;
  at?: string;
  json?: boolean;
}

/** One task for each account. */
export async function createTasks(config: Config, given: CreateOptions): Promise<number> {
  const script_config = {
    ...(given.config !== undefined && (await readConfig(given.config))),
    ...(given.title !== undefined && { title: given.title }),
    ...(given.captions !== undefined && { captions: given.captions }),
    ...(given.material && { material_list: given.material }),
  };
  const body = {
    ...(given.username && { usernames: given.username }),
    ...(given.serial && { serials: given.serial }),
    script_name: given.script,
    script_config,
    enable_multi_account: given.multiAccount ?? false,
    ...(given.at !== undefined && { start_time: given.at }),
    source: "ui",
  };
  const made = await askTasks(config, taskRoutes.createTasks.answer, "POST", "/task", body);
  print(given.json ? JSON.stringify(made) : `${made.created_count === 1 ? "Task" : "Tasks"} ${made.task_ids.join(", ")}.`);
  return 0;
}

async function readConfig(given: string): Promise<object> {
  const file = given.startsWith("@") ? given.slice(1) : null;
  const text = file
    ? await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(`${file} can't be read (${error.code}).`);
      })
    : given;
  const value = readJsonText(file ?? "--config", text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new UsageError(`${file ?? "--config"} holds no JSON object, such as {"captions":"Good morning"}.`);
}

export interface ListOptions {
  status?: string;
  serial?: string;
  script?: string;
  source?: string;
  page?: string;
  pageSize?: string;
  json?: boolean;
}

export async function listTasks(config: Config, given: ListOptions): Promise<number> {
  const query = new URLSearchParams();
  if (given.status !== undefined) query.set("status", String(statusOf(given.status)));
  for (const [name, value] of [
    ["serial", given.serial],
    ["script_name", given.script],
    ["source", given.source],
    ["page", given.page],
    ["page_size", given.pageSize],
  ] as const)
    if (value !== undefined) query.set(name, value);
  const found = await askTasks(config, taskRoutes.listTasks.answer, "GET", `/task?${query.toString()}`);
  if (given.json) print(JSON.stringify(found));
  else {
    const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
    print(table([["ID", "STATUS", "ACCOUNT", "SLOT", "SCRIPT", "RESULT"], ...found.tasks.map(rowOf)], columns));
    if (found.total > found.tasks.length)
      process.stderr.write(`Page ${found.page}: ${found.tasks.length} of ${found.total.toLocaleString("en")} tasks, the newest first.\n`);
  }
  return 0;
}

const wordOf = ({ status }: TaskView): TaskStatus => taskStatuses[status] ?? "pending";

function rowOf(task: TaskView): Cell[] {
  const word = wordOf(task);
  const starts = word === "pending" && task.starts_at ? `at ${task.start_time ?? ""} (${task.starts_at})` : "";
  const result = task.error ?? task.result?.links.join(" ") ?? task.note ?? starts;
  return [
    String(task.id),
    styled(colours[word], word),
    task.username,
    task.serial,
    task.script_name,
    harmless(result || task.note || starts),
  ];
}

function statusOf(word: string): number {
  const index = (taskStatuses as readonly string[]).indexOf(word);
  if (index >= 0) return index;
  if (/^[0-3]$/.test(word)) return Number(word);
  throw new UsageError(`The status ${word} is none; it is one of ${taskStatuses.join(", ")}.`);
}

export async function stopTask(config: Config, id: string): Promise<number> {
  await askTasks(config, taskRoutes.stopTask.answer, "POST", `/task/${encodeURIComponent(id)}/stop`);
  print(`Task ${id} is stopped.`);
  return 0;
}

/** @param id absent: all that have failed */
export async function retryTasks(config: Config, id: string | undefined): Promise<number> {
  if (id !== undefined) {
    await askTasks(config, taskRoutes.retryTask.answer, "POST", `/task/${encodeURIComponent(id)}/retry`);
    print(`Task ${id} runs again.`);
    return 0;
  }
  const { task_ids: ids, retried_count: count } = await askTasks(config, taskRoutes.retryTasks.answer, "POST", "/task/retry-all");
  print(count === 0 ? "No task has failed." : `${count === 1 ? "Task" : "Tasks"} ${ids.join(", ")} again.`);
  return 0;
}

export async function deleteTasks(config: Config, given: readonly string[]): Promise<number> {
  const ids = given.map((id) => (/^\d+$/.test(id) ? Number(id) : Number.NaN));
  if (ids.some((id) => !Number.isSafeInteger(id))) throw new UsageError("Ids of tasks are whole numbers; `podcrew task list` shows them.");
  const answer = await askTasks(config, taskRoutes.deleteTasks.answer, "DELETE", "/task/batch", { task_ids: ids });
  if (answer.deleted.length > 0) print(`Deleted: ${answer.deleted.join(", ")}.`);
  if (answer.missing.length > 0) process.stderr.write(`There is no task ${answer.missing.join(", ")}.\n`);
  return answer.missing.length > 0 ? 1 : 0;
}

/** @param watch again and again, until nothing is open  @returns 1 when some have failed by then */
export async function showStats(config: Config, { watch = false, json = false }: { watch?: boolean; json?: boolean }): Promise<number> {
  const ask = async (): Promise<TaskStats> => askTasks(config, taskRoutes.taskStats.answer, "GET", "/task/stats");
  const textOf = (stats: TaskStats): string => (json ? JSON.stringify(stats) : sayStats(stats));
  let stats = await ask();
  if (!watch) return (print(textOf(stats)), 0);
  const display = process.stdout.isTTY && !json ? createLogUpdate(process.stdout) : null;
  try {
    for (let before = ""; ; await delay(WATCH_EVERY_MS)) {
      stats = await ask();
      const text = [textOf(stats), ...(json ? [] : await sayPersons(config))].join("\n");
      if (display) display(text);
      else if (text !== before) print(text);
      before = text;
      if (stats.pending + stats.running === 0 || readerIsGone()) return stats.failed > 0 ? 1 : 0;
    }
  } finally {
    display?.done();
  }
}

/** Of all sources: an account that stands still for a manager's task holds up ours as well. */
async function sayPersons(config: Config): Promise<string[]> {
  const { status, data } = await askFarm(config, "/api/v1/farm/status");
  const waiting = status === 200 ? (data as FarmStatus).needsPerson : [];
  const accounts = new Set(waiting.map(({ account, site }) => harmless(`${account} at ${site}`)));
  if (accounts.size === 0) return [];
  const [first = ""] = accounts;
  const who = accounts.size === 1 ? first : `${first} and ${accounts.size - 1} more`;
  return [styleText("yellow", `A person is needed for ${who}: podcrew status`)];
}

function sayStats(stats: TaskStats): string {
  const counts = taskStatuses.map((status): Cell[] => [styled(colours[status], status), stats[status].toLocaleString("en")]);
  return table([...counts, ["total", stats.total.toLocaleString("en")]]);
}
