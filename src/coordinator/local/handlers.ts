import type { Config } from "../../kit/config.ts";
import type { taskRoutes } from "../../contract/task-api.ts";
import type { Handlers } from "../../kit/api/serve.ts";
import type { Database } from "../tables.ts";
import type { AccountBook } from "./accounts.ts";
import { TaskApiError } from "./errors.ts";
import { ledgerIdOf } from "./ids.ts";
import { allSlots } from "./slots.ts";
import type { LocalTaskRow } from "./tables.ts";
import { STOPPED, type TaskBook } from "./task-book.ts";
import { viewOf } from "./view.ts";

/** What the engine does for the API. */
export interface TaskEngine {
  /** There is something new to be pulled. */
  wake(): void;
  /** The record says that it is over: it is stopped where it runs. */
  cancel(ledgerId: string, why: string): void;
}

export interface TaskHandlersOptions {
  db: Database;
  accounts: AccountBook;
  tasks: TaskBook;
  engine: TaskEngine;
  plan: Config["taskPlan"];
  concurrency: number;
}

const success = <Data>(data: Data) => ({ code: 0 as const, message: "success" as const, data });
const MOST_ID = 2 ** 31 - 1;

/** @throws TaskApiError 40001, 40401 */
function readId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new TaskApiError(40001, "the task's id is a whole number");
  const id = Number(text);
  if (id < 1 || id > MOST_ID) throw new TaskApiError(40401, `task ${text}`);
  return id;
}

/** T1-T10, and what is additive. */
export function taskHandlers({ db, accounts, tasks, engine, plan, concurrency }: TaskHandlersOptions): Handlers<typeof taskRoutes, null> {
  const view = async (row: LocalTaskRow) => viewOf(row, (await tasks.notes([row])).get(row.id));

  /** The record goes last: until then it says that whatever runs has to stop. */
  async function remove(ids: readonly number[]): Promise<number[]> {
    const stopped: LocalTaskRow[] = [];
    for (const id of new Set(ids)) {
      const row = await tasks.stop(id).catch((error: unknown) => {
        if (error instanceof TaskApiError) return null;
        throw error;
      });
      if (row) stopped.push(row);
    }
    for (const row of stopped) engine.cancel(ledgerIdOf(row), STOPPED);
    return (await tasks.remove(ids)).map(({ id }) => id);
  }

  return {
    async createTasks({ body }) {
      const task_ids = await tasks.create(body);
      engine.wake();
      return success({ task_ids, created_count: task_ids.length });
    },
    async listTasks({ query }) {
      const { rows, total } = await tasks.list(query);
      const notes = await tasks.notes(rows);
      return success({ tasks: rows.map((row) => viewOf(row, notes.get(row.id))), total, page: query.page, page_size: query.page_size });
    },
    readTask: async ({ params }) => success(await view(await tasks.read(readId(params.id)))),
    async deleteTask({ params }) {
      const id = readId(params.id);
      const [deleted] = await remove([id]);
      if (deleted === undefined) throw new TaskApiError(40401, `task ${id}`);
      return success({ id });
    },
    async deleteTasks({ body }) {
      const wanted = [...new Set(body.task_ids)];
      const deleted = new Set(await remove(wanted.filter((id) => id <= MOST_ID)));
      return success({ deleted: wanted.filter((id) => deleted.has(id)), missing: wanted.filter((id) => !deleted.has(id)) });
    },
    async stopTask({ params }) {
      const row = await tasks.stop(readId(params.id));
      engine.cancel(ledgerIdOf(row), STOPPED);
      return success(viewOf(row, undefined));
    },
    async retryTask({ params }) {
      const row = await tasks.retry(readId(params.id));
      engine.wake();
      return success(await view(row));
    },
    async retryTasks() {
      const task_ids = await tasks.retryAll();
      engine.wake();
      return success({ task_ids, retried_count: task_ids.length });
    },
    taskStats: async () => success(await tasks.stats()),
    checkLicense: async () =>
      success({
        plan_name: plan,
        api_enabled: true,
        device_limit: (await allSlots(db, concurrency)).length,
        message: "The API is enabled.",
      }),
    async listDevices() {
      const serials = await allSlots(db, concurrency);
      const own = await accounts.bySlots(serials);
      const running = await tasks.runningBySlot();
      return success({
        devices: serials.map((serial) => ({
          serial,
          accounts: (own.get(serial) ?? []).map(({ login }) => login),
          running: running.get(serial) ?? 0,
        })),
      });
    },
    listAccounts: async () => success({ accounts: await accounts.list() }),
    importAccounts: async ({ body }) => success(await accounts.import(body.accounts)),
    async removeAccount({ body: { username } }) {
      await accounts.remove(username);
      return success({ username });
    },
  };
}
