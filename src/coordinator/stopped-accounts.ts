import { sayFailure, type FailureData } from "../contract/failures.ts";
import type { Job } from "../store/queue.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import type { Database, TaskRow } from "./tables.ts";
import { moveTask } from "./tasks.ts";

/** Why nothing may start on an account, or null. */
export async function stopped({ db }: LedgerParts, accountKey: string): Promise<FailureData | null> {
  const row = await db.selectFrom("stopped_accounts").select("failure").where("account_key", "=", accountKey).executeTakeFirst();
  return row?.failure ?? null;
}

/** A promise was broken, or the site asks for a person: nothing starts on this account until a person has looked. The first reason stays. */
export async function stopAccount(
  { db, hand, flush }: LedgerParts,
  accountKey: string,
  taskId: string,
  failure: FailureData,
): Promise<void> {
  await insertStop(db, accountKey, taskId, failure, hand().now);
  await flush();
}

export async function insertStop(db: Database, accountKey: string, taskId: string, failure: FailureData, at: Date): Promise<void> {
  await db
    .insertInto("stopped_accounts")
    .values({ account_key: accountKey, task_id: taskId, failure: JSON.stringify(failure), at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** All of them, with the task in whose run it was noticed. */
export async function stoppedAccounts({ db }: LedgerParts, source: string): Promise<{ task: TaskRow; failure: FailureData }[]> {
  const rows = await db
    .selectFrom("stopped_accounts")
    .innerJoin("tasks", "tasks.id", "stopped_accounts.task_id")
    .where("tasks.source", "=", source)
    .selectAll("tasks")
    .select("stopped_accounts.failure as stop")
    .orderBy("at")
    .execute();
  return rows.map(({ stop, ...task }) => ({ task, failure: stop }));
}

/** A task that must not start waits for a person. @returns false when it was not waiting any more */
export async function hold({ db, queue, hand }: LedgerParts, taskId: string, job: Job, failure: FailureData): Promise<boolean> {
  const { now } = hand();
  return db.transaction().execute(async (trx) => {
    const held = await moveTask(trx, taskId, now, {
      from: ["waiting", "unsure"],
      to: "needs_person",
      set: { failure: JSON.stringify(failure), waits_for: sayFailure(failure), not_before: null },
    });
    await queue.done(job, { trx: trx as never });
    return held !== null;
  });
}
