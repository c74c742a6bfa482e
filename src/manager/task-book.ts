import type { Kysely, Transaction } from "kysely";
import type { TaskState } from "../contract/states.ts";
import type { Log } from "../kit/log.ts";
import { redact } from "../kit/redact.ts";
import { isUuid } from "../kit/uuid.ts";
import type { Vault } from "../store/vault.ts";
import { changeAccount, knowSecretsOf, UNREADABLE, type AccountChanges } from "./accounts.ts";
import { anyOf } from "./any-of.ts";
import { afterMove, lockRequest } from "./backlink/after-move.ts";
import { noteIndexed } from "./backlink/indexed.ts";
import type { Caller } from "./caller.ts";
import { ApiError } from "./errors.ts";
import { record, type WorkerAction } from "./history.ts";
import { heldStates, leaseFrom } from "./lease.ts";
import { findLink, lockLink, lockWaitingForFeed } from "./lock-link.ts";
import { cancel, complete, fail, insert, start, type CompleteOrder, type FailOrder, type Move } from "./moves.ts";
import { pullTasks, type PullOrder } from "./pull.ts";
import type { LinkRow, ManagerTables } from "./tables.ts";
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

  async function move(
    caller: Caller,
    action: WorkerAction,
    id: string,
    decide: (link: LinkRow, now: Date, trx: Trx) => Move | Promise<Move>,
  ): Promise<LinkRow> {
    const now = clock();
    return db.transaction().execute(async (trx) => {
      const link = await lockLink(trx, id, caller);
      const done = await decide(link, now, trx);
      await apply(trx, link, done, now);
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
      if (broken.length > 0) await park(db, caller, broken, now);
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
    fail: async (caller, id, order) =>
      void (await move(caller, "fail", id, async (link, now, trx) => {
        // What a worker says went wrong may quote what it typed, and another manager may have handed that out.
        await knowSecretsOf(trx, vault, link.account_id);
        return fail(link, { ...order, error_message: redact(order.error_message) }, caller, now);
      })),

    async account(caller, id, changes) {
      const now = clock();
      return db.transaction().execute(async (trx) => {
        if (changes.link_rss) await lockWaitingForFeed(trx, await findLink(trx, id, caller));
        const link = await lockLink(trx, id, caller);
        const changed = await changeAccount(trx, vault, link.account_id, changes, now);
        await renew(trx, caller, link.id, now);
        await record(trx, caller, [{ action: "account", taskId: link.id, status: 200, code: changed.length > 0 ? "ok" : "repeated" }], now);
        return { accountId: link.account_id, updatedFields: changed.length };
      });
    },

    async cancel(id) {
      const now = clock();
      await db.transaction().execute(async (trx) => {
        const link = await lockLink(trx, id);
        await apply(trx, link, cancel(link), now);
      });
    },

    async remove(id) {
      if (!isUuid(id)) return false;
      const now = clock();
      return db.transaction().execute(async (trx) => {
        const link = await trx.selectFrom("links").select("request_id").where("id", "=", id).executeTakeFirst();
        if (!link) return false;
        await lockRequest(trx, link.request_id);
        const done = await trx.deleteFrom("links").where("id", "=", id).executeTakeFirst();
        await afterMove(trx, { requestId: link.request_id }, now);
        return done.numDeletedRows === 1n;
      });
    },
  };
}

/** Only what ends a task means something to its request. */
const endStates: readonly unknown[] = ["completed", "failed", "canceled"] satisfies TaskState[];

/** The change, and what follows from it for the request. */
async function apply(trx: Trx, { id, request_id }: LinkRow, move: Move, now: Date): Promise<void> {
  if ("refuse" in move) throw new ApiError(move.refuse);
  if ("repeated" in move) return;
  await trx
    .updateTable("links")
    .set({ ...move.change, updated_at: now })
    .where("id", "=", id)
    .execute();
  if (move.change.is_indexed) await noteIndexed(trx, id, now);
  if (endStates.includes(move.change.state)) await afterMove(trx, { requestId: request_id, linkId: id }, now);
}

const PARKED_MS = 15 * 60_000;

/** One account with damaged secrets must not stop the work of all others. */
async function park(db: Kysely<ManagerTables>, caller: Caller, ids: string[], now: Date): Promise<void> {
  await db
    .with("picked", (own) =>
      own
        .selectFrom("links")
        .select("id")
        .where("id", "=", anyOf(ids, "uuid"))
        // What was stopped since it was picked stays so.
        .where("state", "=", "claimed")
        .where("holder", "=", caller.holder)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable("links as t")
    .from("picked")
    .whereRef("t.id", "=", "picked.id")
    .set({ state: "waiting", lease_until: null, next_at: new Date(now.getTime() + PARKED_MS), error_message: UNREADABLE, updated_at: now })
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
