import { sql, type RawBuilder } from "kysely";
import { sayFailure, type FailureData } from "../contract/failures.ts";
import type { Job } from "../store/queue.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import type { Database, TaskRow } from "./tables.ts";
import { moveTask } from "./tasks.ts";

/** Who signs in: as its source knows the account, and as the site does. */
export type Who = Pick<TaskRow, "account_key" | "login_key">;

/** Of rows of `stopped_accounts` or `tasks`: those of the account, and those of others with its login. */
export function isOf({ account_key: account, login_key: login }: Who): RawBuilder<boolean> {
  return sql<boolean>`(account_key = ${account} or (login_key <> '' and login_key = ${login}))`;
}

/** At a start: stops from before their logins were written down hold for those as well. @param loginOf "": not known here */
export async function nameStops({ db }: LedgerParts, loginOf: (task: TaskRow) => string): Promise<void> {
  const tasks = await db
    .selectFrom("stopped_accounts")
    .innerJoin("tasks", "tasks.id", "stopped_accounts.task_id")
    .where("stopped_accounts.login_key", "=", "")
    .selectAll("tasks")
    .execute();
  for (const task of tasks)
    await db
      .updateTable("stopped_accounts")
      .set({ login_key: loginOf(task) })
      .where("account_key", "=", task.account_key)
      .where("login_key", "=", "")
      .execute();
}

export interface Stop {
  /** Where it was noticed: it may be another source's account with the same login. */
  accountKey: string;
  failure: FailureData;
}

/** Why nothing may start on an account, or null. What stops one stops all with the same login: it is one account to the site. */
export async function stopOf(db: Database, who: Who): Promise<Stop | null> {
  const row = await db
    .selectFrom("stopped_accounts")
    .select(["account_key as accountKey", "failure"])
    .where(isOf(who))
    .orderBy("at")
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** A promise was broken, or the site asks for a person: nothing starts on this account until a person has looked. The first reason stays. */
export async function stopAccount({ db, hand, flush }: LedgerParts, task: Who & Pick<TaskRow, "id">, failure: FailureData): Promise<void> {
  await insertStop(db, task, failure, hand().now);
  await flush();
}

/** @param task in whose run it was noticed */
export async function insertStop(db: Database, task: Who & Pick<TaskRow, "id">, failure: FailureData, at: Date): Promise<void> {
  const { id: task_id, account_key, login_key } = task;
  await db
    .insertInto("stopped_accounts")
    .values({ account_key, login_key, task_id, failure: JSON.stringify(failure), at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** All of them, with the task in whose run it was noticed. */
export async function stoppedAccounts({ db }: LedgerParts, sources: readonly string[]): Promise<{ task: TaskRow; failure: FailureData }[]> {
  const rows = await db
    .selectFrom("stopped_accounts")
    .innerJoin("tasks", "tasks.id", "stopped_accounts.task_id")
    .where("tasks.source", "in", sources)
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
