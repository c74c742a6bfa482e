import { sql, type Kysely, type Transaction } from "kysely";
import type { Log } from "../kit/log.ts";
import { redact } from "../kit/redact.ts";
import type { Vault } from "../store/vault.ts";
import { changeAccount, type AccountChanges } from "./accounts.ts";
import type { Caller } from "./caller.ts";
import { ApiError } from "./errors.ts";
import { record, type WorkerAction } from "./history.ts";
import { heldStates, leaseFrom } from "./lease.ts";
import { cancel, complete, fail, insert, start, type CompleteOrder, type FailOrder, type Move } from "./moves.ts";
import { pullTasks, type PullOrder } from "./pull.ts";
import type { LinkRow, ManagerTables } from "./tables.ts";
import { isUuid } from "./uuid.ts";
import { readWorkerTasks, type WorkerTaskAnswer } from "./worker-task.ts";

type Trx = Transaction<ManagerTables>;

/** Everything that a worker may do to tasks. Each method is one transaction: the change and its row in the history. */
export interface TaskBook {
  /** Claims and hands out. */
  pull(caller: Caller, order: PullOrder): Promise<WorkerTaskAnswer[]>;
  /** @throws ApiError task_not_found */
  read(caller: Caller, id: string): Promise<WorkerTaskAnswer>;
  start(caller: Caller, id: string): Promise<void>;
  complete(caller: Caller, id: string, order: CompleteOrder): Promise<void>;
  /** Finishes a secondary that was pulled; it need not have been started. */
  insert(caller: Caller, id: string, order: CompleteOrder): Promise<{ linkId: string; accountId: string }>;
  fail(caller: Caller, id: string, order: FailOrder): Promise<void>;
  /** Needs no lease and no state. */
  account(caller: Caller, id: string, changes: AccountChanges): Promise<{ accountId: string; updatedFields: number }>;
  /** For people. @throws ApiError task_not_found, bad_transition when the task is completed */
  cancel(id: string): Promise<void>;
  /** For people. @returns false when there is no such task */
  remove(id: string): Promise<boolean>;
}

export function createTaskBook({
  db,
  vault,
  log,
  now: nowMs,
}: {
  db: Kysely<ManagerTables>;
  vault: Vault;
  log: Log;
  now: () => number;
}): TaskBook {
  const clock = (): Date => new Date(nowMs());

  async function move(caller: Caller, action: WorkerAction, id: string, decide: (link: LinkRow, now: Date) => Move): Promise<LinkRow> {
    const now = clock();
    return db.transaction().execute(async (trx) => {
      const link = await lockLink(trx, id, caller);
      const done = decide(link, now);
      await apply(trx, link.id, done, now);
      await record(trx, caller, [{ action, taskId: link.id, status: 200, code: "repeated" in done ? "repeated" : "ok" }], now);
      return link;
    });
  }

  return {
    async pull(caller, order) {
      const now = clock();
      const handed = await db.transaction().execute(async (trx) => {
        const picked = await pullTasks(trx, caller, order, now);
        await record(
          trx,
          caller,
          picked.filter(({ fresh }) => fresh).map(({ id }) => ({ action: "pull" as const, taskId: id, status: 200, code: "ok" })),
          now,
        );
        return picked;
      });
      const broken: string[] = [];
      const tasks = await readWorkerTasks(
        db,
        vault,
        handed.map(({ id }) => id),
        now,
        (id, error) => {
          log.error(`the secrets of the task's account can't be opened: ${error instanceof Error ? error.message : String(error)}`, {
            task: id,
          });
          broken.push(id);
        },
      );
      if (broken.length > 0) await park(db, broken, now);
      return tasks;
    },

    async read(caller, id) {
      const now = clock();
      return db.transaction().execute(async (trx) => {
        const link = await findLink(trx, id, caller);
        await renew(trx, caller, link.id, now);
        const [task] = await readWorkerTasks(trx, vault, [link.id], now);
        if (!task) throw new ApiError("task_not_found");
        await record(trx, caller, [{ action: "read", taskId: link.id, status: 200, code: "ok" }], now);
        return task;
      });
    },

    start: async (caller, id) => void (await move(caller, "start", id, (link, now) => start(link, caller, now))),
    complete: async (caller, id, order) => void (await move(caller, "complete", id, (link, now) => complete(link, order, caller, now))),
    async insert(caller, id, order) {
      const { id: linkId, account_id } = await move(caller, "insert", id, (link, now) => insert(link, order, caller, now));
      return { linkId, accountId: account_id };
    },
    // What a worker says went wrong may quote what it typed.
    fail: async (caller, id, order) =>
      void (await move(caller, "fail", id, (link, now) =>
        fail(link, { ...order, error_message: redact(order.error_message) }, caller, now),
      )),

    async account(caller, id, changes) {
      const now = clock();
      return db.transaction().execute(async (trx) => {
        const link = await lockLink(trx, id, caller);
        const changed = await changeAccount(trx, vault, link.account_id, changes, now);
        await renew(trx, caller, link.id, now);
        await record(trx, caller, [{ action: "account", taskId: link.id, status: 200, code: changed.length > 0 ? "ok" : "repeated" }], now);
        return { accountId: link.account_id, updatedFields: changed.length };
      });
    },

    async cancel(id) {
      const now = clock();
      await db.transaction().execute(async (trx) => apply(trx, id, cancel(await lockLink(trx, id)), now));
    },

    async remove(id) {
      if (!isUuid(id)) return false;
      const done = await db.deleteFrom("links").where("id", "=", id).executeTakeFirst();
      return done.numDeletedRows === 1n;
    },
  };
}

async function lockLink(trx: Trx, id: string, caller: Caller | null = null): Promise<LinkRow> {
  const { id: own } = await findLink(trx, id, caller);
  const link = await trx.selectFrom("links").selectAll().where("id", "=", own).forUpdate().executeTakeFirst();
  if (!link) throw new ApiError("task_not_found");
  return link;
}

/**
 * A task by its own id, or a secondary by its account's: of several the one that the caller holds, else the one that it ended
 * last. @throws ApiError task_not_found
 */
async function findLink(trx: Trx, id: string, caller: Caller | null): Promise<Pick<LinkRow, "id">> {
  if (!isUuid(id)) throw new ApiError("task_not_found");
  const own = await trx.selectFrom("links").select("id").where("id", "=", id).executeTakeFirst();
  const link =
    own ??
    (await trx
      .selectFrom("links")
      .select("id")
      .where("account_id", "=", id)
      .where("kind", "=", "secondary")
      .where("link_rss", "!=", "")
      .orderBy(sql`case when holder = ${caller?.holder ?? null} then 0 else 1 end`)
      .orderBy(sql`case when state in ('claimed', 'running', 'needs_person', 'unsure') then 0 else 1 end`)
      .orderBy("updated_at", "desc")
      .limit(1)
      .executeTakeFirst());
  if (!link) throw new ApiError("task_not_found");
  return link;
}

async function apply(trx: Trx, id: string, move: Move, now: Date): Promise<void> {
  if ("refuse" in move) throw new ApiError(move.refuse);
  if ("repeated" in move) return;
  await trx
    .updateTable("links")
    .set({ ...move.change, updated_at: now })
    .where("id", "=", id)
    .execute();
}

const PARKED_MS = 15 * 60_000;

/** One account with damaged secrets must not stop the work of all others. */
async function park(db: Kysely<ManagerTables>, ids: string[], now: Date): Promise<void> {
  const error_message =
    "The account's stored secrets can't be opened with the vault key that this manager has. Give it the key that sealed them, or enter the account's secrets again.";
  await db
    .updateTable("links")
    .set({ state: "waiting", lease_until: null, next_at: new Date(now.getTime() + PARKED_MS), error_message, updated_at: now })
    .where("id", "in", ids)
    .execute();
}

/** Any call of the holder keeps the task his, as long as it still is. */
async function renew(trx: Trx, caller: Caller, id: string, now: Date): Promise<void> {
  await trx
    .updateTable("links")
    .set({ lease_until: leaseFrom(now) })
    .where("id", "=", id)
    .where("holder", "=", caller.holder)
    .where("state", "in", heldStates)
    .where("lease_until", ">", now)
    .execute();
}
