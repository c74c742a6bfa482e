import { sql } from "kysely";
import type { FailureData } from "../contract/failures.ts";
import type { WorkerTask } from "../contract/worker-api.ts";
import type { Job } from "../store/queue.ts";
import type { Admission } from "./admission.ts";
import { CHECK_PRIORITY, judgeCheck, MOVED } from "./checks.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import { enqueueReports, hasPending } from "./outbox.ts";
import type { Site } from "./sites.ts";
import { activeTaskStates, type Database, type TaskRow } from "./tables.ts";
import { accountKeyOf, cancelTask, hasSecrets, insertTask, loginKeyOfTask, moveTask, sealTask } from "./tasks.ts";

/** Of a row of `tasks`: by its id alone, which an index answers. */
export const isCheckId = sql<boolean>`tasks.id like 'check:%'`;
const kindOf = sql<string | null>`data ->> 'kind'`;

/** The answer to a pull may be older than the check's end. */
const ENDED_REST_MS = 60_000;

/**
 * A pulled check: new, known and continued, or handed out again after it had ended here, which makes it a new one. Unlike a task
 * it needs no `/start`, so it may run at once. Secrets that have changed meanwhile count from the next run on.
 */
export async function admitCheck(
  { db, vault, queue, hand }: LedgerParts,
  check: WorkerTask,
  site: Site,
  source: string,
): Promise<Admission> {
  const { now, rules } = hand();
  return db.transaction().execute(async (trx): Promise<Admission> => {
    const row = await trx.selectFrom("tasks").selectAll().where("id", "=", check.id).forUpdate().executeTakeFirst();
    if (row) {
      const hasMoved = row.account_key !== accountKeyOf(site, check) || row.host !== site.host;
      const isOther = hasMoved || !hasSecrets(row, check, vault);
      const isTold = await hasPending(trx, row.id);
      if (isTold && !isOther) return "reporting";
      if (isTold) await withdraw(trx, row.id, now);
      if (activeTaskStates.includes(row.state)) {
        if (hasMoved) await moveAway(trx, row, now);
        else if (isOther)
          await trx
            .updateTable("tasks")
            .set({ ...sealTask(check, vault), login_key: loginKeyOfTask(site, check), tries: 0, updated_at: now })
            .where("id", "=", row.id)
            .execute();
        return "known";
      }
      if (!isTold && now.getTime() - row.updated_at.getTime() < ENDED_REST_MS) return "known";
      await trx.deleteFrom("tasks").where("id", "=", row.id).execute();
    }
    if (!(await insertTask(trx, check, site, source, sealTask(check, vault), now, rules))) return "known";
    const accountKey = accountKeyOf(site, check);
    await forgetEnded(trx, accountKey);
    await queue.send({ id: check.id, accountKey, priority: CHECK_PRIORITY }, { trx: trx as never });
    return row ? "again" : "new";
  });
}

/** The account is at another site now: what is under way answers nothing, and a later pull brings the check anew. */
async function moveAway(trx: Database, row: TaskRow, now: Date): Promise<void> {
  if (await cancelTask(trx, row.id, MOVED, now)) return;
  // At work with the old site: its end is judged by this mark.
  const failure: FailureData = { code: "task.canceled", detail: MOVED };
  await trx
    .updateTable("tasks")
    .set({ failure: JSON.stringify(failure) })
    .where("id", "=", row.id)
    .execute();
}

/** What stands to be told is about what the account was. */
async function withdraw(trx: Database, taskId: string, now: Date): Promise<void> {
  await trx
    .updateTable("outbox")
    .set({ state: "refused", why: "the account was changed", settled_at: now })
    .where("task_id", "=", taskId)
    .where("state", "=", "pending")
    .execute();
}

/** An account keeps its last check; what a stop points to stays as well. */
async function forgetEnded(trx: Database, accountKey: string): Promise<void> {
  await trx
    .deleteFrom("tasks")
    .where("account_key", "=", accountKey)
    .where(isCheckId)
    .where(kindOf, "=", "check")
    .where("state", "in", ["completed", "failed", "canceled"])
    .where("id", "not in", (inner) => inner.selectFrom("stopped_accounts").select("task_id"))
    .where("id", "not in", (inner) => inner.selectFrom("outbox").select("task_id").where("state", "=", "pending"))
    .execute();
}

/** It must not even start: that is the answer. @returns false when it was not waiting any more */
export async function refuseCheck(
  { db, queue, vault, random, hand }: LedgerParts,
  taskId: string,
  job: Job,
  failure: FailureData,
): Promise<boolean> {
  const { now } = hand();
  return db.transaction().execute(async (trx) => {
    const ending = { kind: "failed" as const, failure, retryAt: null };
    const { state, reports } = judgeCheck({ workerDeaths: 0, tries: 0, changed: false, moved: false, since: now }, ending, now, random);
    const ended = await moveTask(trx, taskId, now, {
      from: ["waiting"],
      to: state,
      set: { failure: JSON.stringify(failure), waits_for: "", not_before: null },
    });
    await queue.done(job, { trx: trx as never });
    if (ended) await enqueueReports(trx, taskId, reports, now, vault);
    return ended !== null;
  });
}
