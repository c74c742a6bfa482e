import type { Kysely } from "kysely";
import { isUuid } from "../kit/uuid.ts";
import type { Caller } from "./caller.ts";
import type { ManagerTables } from "./tables.ts";

export type WorkerAction = "pull" | "read" | "start" | "complete" | "insert" | "account" | "fail" | "checks" | "check" | "unknown";

/** One call of a worker and its answer; the site's and the manager's histories together decide what really happened. */
export interface HistoryEntry {
  id: number;
  at: Date;
  /** Id of the API key. */
  keyId: string;
  /** X-Worker-Id, "" without. */
  worker: string;
  action: WorkerAction;
  taskId: string | null;
  /** HTTP status of the answer. */
  status: number;
  /** "ok", "repeated" (nothing changed), or the error's code. */
  code: string;
}

/**
 * Adds a row for each task that was newly handed out, read or reported, and for each refusal. Pulls that brought nothing new
 * and calls without a valid key leave none: they would fill the disk.
 */
export async function record(
  db: Kysely<ManagerTables>,
  caller: Caller,
  calls: { action: WorkerAction; taskId: string | null; status: number; code: string }[],
  now: Date,
): Promise<void> {
  if (calls.length === 0) return;
  await db
    .insertInto("history")
    .values(
      calls.map(({ action, taskId, status, code }) => ({
        at: now,
        key_id: caller.keyId,
        worker: caller.worker,
        action,
        task_id: taskId,
        status,
        code,
      })),
    )
    .execute();
}

/** Oldest first; of one task, or the newest `limit` of all. */
export async function readHistory(
  db: Kysely<ManagerTables>,
  { taskId, limit = 1000 }: { taskId?: string; limit?: number } = {},
): Promise<HistoryEntry[]> {
  if (taskId !== undefined && !isUuid(taskId)) return [];
  const rows = await db
    .selectFrom("history")
    .selectAll()
    .$if(taskId !== undefined, (query) => query.where("task_id", "=", taskId ?? null))
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.reverse().map((row) => ({
    id: row.id,
    at: row.at,
    keyId: row.key_id,
    worker: row.worker,
    action: row.action as WorkerAction,
    taskId: row.task_id,
    status: row.status,
    code: row.code,
  }));
}
