import type { Dispatcher } from "undici";
import { z } from "zod";
import {
  workerCheck,
  workerHeaders,
  workerTask,
  workerTaskAnswer,
  workerTaskList,
  type Report,
  type WorkerTask,
} from "../contract/worker-api.ts";
import { requestJson, type HttpAnswer } from "../kit/http.ts";
import type { Log } from "../kit/log.ts";
import { CHECK_PRIORITY, checkIdOf, checkTaskId } from "./checks.ts";
import type { BrokenTask, DeliverAnswer, PullAnswer, ReadAnswer, Source } from "./source.ts";

export interface ManagerSourceOptions {
  /** Without `/api/v1/podcast`. */
  url: string;
  apiKey: string;
  workerId: string;
  /** One exchange, ms. */
  deadlineMs?: number;
  log?: Log;
  dispatcher?: Dispatcher;
}

const DEADLINE_MS = 30_000;
const MAX_PULL = 1000;
/** The manager will say the same next time. */
const finalStatuses: ReadonlySet<number> = new Set([400, 404, 409, 410, 422]);

/** It does not know the address. */
const unknownStatuses: ReadonlySet<number> = new Set([404, 405, 410, 501]);
const NO_CHECKS_MS = 10 * 60_000;

interface Pull {
  /** Up to the parameter `limit`. */
  path: string;
  /** What is handed out, as a task. @throws ZodError */
  own: (item: unknown) => WorkerTask;
  /** How long to rest where the manager does not know the address; null: the caller's own back-off. */
  unknownMs: number | null;
}

const primaries: Pull = { path: "/links?type=primary&", own: (item) => ownTask(workerTask.parse(item), "primary"), unknownMs: null };
const secondaries: Pull = { path: "/links?type=secondary&", own: (item) => ownTask(workerTask.parse(item), "secondary"), unknownMs: null };
/** Additive, so that other managers have none. */
const checks: Pull = { path: "/checks?", own: checkAsTask, unknownMs: NO_CHECKS_MS };

/** Tasks over the Podcast worker API (W1-W10). Loose towards a foreign manager; any odd answer is a reason to wait, not to crash. */
export function createManagerSource(options: ManagerSourceOptions): Source {
  const base = `${options.url.replace(/\/+$/, "").replace(/\/api\/v1\/podcast$/, "")}/api/v1/podcast`;
  const headers = { [workerHeaders.apiKey]: options.apiKey, [workerHeaders.workerId]: options.workerId };

  async function ask(
    path: string,
    request: { method?: "GET" | "POST"; json?: unknown; headers?: Record<string, string> } = {},
  ): Promise<HttpAnswer | { silent: string }> {
    try {
      return await requestJson(`${base}${path}`, {
        ...request,
        headers: { ...headers, ...request.headers },
        deadlineMs: options.deadlineMs ?? DEADLINE_MS,
        ...(options.dispatcher && { dispatcher: options.dispatcher }),
      });
    } catch (error) {
      options.log?.debug(`${request.method ?? "GET"} ${path}: ${reasonOf(error)}`, { part: "manager-source" });
      return { silent: `the manager does not answer (${reasonOf(error)})` };
    }
  }

  async function pull({ path, own, unknownMs }: Pull, limit: number, sites: readonly string[]): Promise<PullAnswer> {
    const answer = await ask(`${path}limit=${Math.max(1, Math.min(MAX_PULL, limit))}`, {
      headers: sites.length > 0 ? { [workerHeaders.sites]: sites.join(",") } : {},
    });
    if ("silent" in answer) return { kind: "again", why: answer.silent, retryAfterMs: null };
    if (answer.status === 401 || answer.status === 403) return { kind: "refused", why: sayAnswer(answer) };
    if (answer.status !== 200)
      return { kind: "again", why: sayAnswer(answer), retryAfterMs: unknownStatuses.has(answer.status) ? unknownMs : answer.retryAfterMs };
    const list = workerTaskList.safeParse(answer.body);
    return list.success
      ? readTasks(list.data.data, own)
      : { kind: "again", why: "the manager's answer to a pull is not what the worker API says", retryAfterMs: null };
  }

  return {
    name: `manager:${base}`,
    once: false,

    pull: async (limit, sites) => pull(primaries, limit, sites),
    pullImports: async (limit, sites) => pull(secondaries, limit, sites),
    pullChecks: async (limit, sites) => pull(checks, limit, sites),

    async read(taskId): Promise<ReadAnswer> {
      const answer = await ask(`/links/${encodeURIComponent(taskId)}`);
      if ("silent" in answer) return { kind: "again", why: answer.silent };
      if (answer.status === 404 || answer.status === 410) return { kind: "gone" };
      const parsed = workerTaskAnswer.safeParse(answer.body);
      return answer.status === 200 && parsed.success ? { kind: "task", task: parsed.data } : { kind: "again", why: sayAnswer(answer) };
    },

    async deliver(taskId, { kind, ...body }: Report): Promise<DeliverAnswer> {
      const path = kind === "check" ? `/checks/${encodeURIComponent(checkIdOf(taskId))}` : `/links/${encodeURIComponent(taskId)}/${kind}`;
      const answer = await ask(path, { method: "POST", json: body });
      if ("silent" in answer) return { kind: "again", why: answer.silent, retryAfterMs: null };
      const { status, retryAfterMs } = answer;
      if (status >= 200 && status < 300)
        return isTaken(answer)
          ? { kind: "delivered" }
          : { kind: "again", why: `${sayAnswer(answer)} and not that it took it`, retryAfterMs };
      if (finalStatuses.has(status)) return { kind: "final", why: sayAnswer(answer), gone: status === 404 || status === 410 };
      if (status === 401 || status === 403) return { kind: "refused", why: sayAnswer(answer) };
      return { kind: "again", why: sayAnswer(answer), retryAfterMs };
    },
  };
}

/** `{ success: true }`, or nothing at all. A page of whatever stands in between is no answer of the manager's. */
function isTaken({ status, body }: HttpAnswer): boolean {
  return status === 204 || (typeof body === "object" && body !== null && "success" in body && body.success === true);
}

/** @param own throws ZodError */
function readTasks(items: readonly unknown[], own: (item: unknown) => WorkerTask): PullAnswer {
  const tasks: WorkerTask[] = [];
  const broken: BrokenTask[] = [];
  for (const item of items) {
    try {
      tasks.push(own(item));
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      const id =
        typeof item === "object" && item !== null && "id" in item && typeof item.id === "string" && item.id !== "" ? item.id : null;
      broken.push({ id, why: error.issues.map((issue) => `${issue.path.join(".") || "task"}: ${issue.message}`).join("; ") });
    }
  }
  return { kind: "tasks", tasks, broken };
}

/** @throws ZodError */
function checkAsTask(item: unknown): WorkerTask {
  const { id, ...check } = workerCheck.parse(item);
  return workerTask.parse({ ...check, id: checkTaskId(id), kind: "check", status: "queued", data_content: [], priority: CHECK_PRIORITY });
}

/** A manager that ignores `type` may hand out both kinds: its own word on a task counts, else what was asked for. */
function ownTask(task: WorkerTask, type: "primary" | "secondary"): WorkerTask {
  const said = task.kind === "check" ? undefined : task.kind;
  const kind = said ?? (task.data_content.length > 0 ? "primary" : type);
  // Named by its account, which may have another one later: its own id tells them apart.
  return { ...task, kind, id: (kind === "secondary" && task.link_id) || task.id };
}

const MAX_SAID = 200;

function sayAnswer({ status, body }: HttpAnswer): string {
  const message = typeof body === "object" && body !== null && "message" in body ? String(body.message) : "";
  return `the manager answers ${status}${message ? ` (${message.slice(0, MAX_SAID)})` : ""}`;
}

/** undici wraps the reason in "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause as (Error & { code?: string }) | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
