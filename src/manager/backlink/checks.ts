import { randomUUID } from "node:crypto";
import { sql, type Kysely, type Transaction } from "kysely";
import type { z } from "zod";
import type { job } from "../../contract/backlink-api.ts";
import type { ManagerTables } from "../tables.ts";
import type { SupportedSites } from "./supported-sites.ts";
import { notFound } from "./tenant.ts";

type Db = Kysely<ManagerTables>;

/** A check that no farm has ended. */
export const openStates = ["waiting", "claimed"] as const;

/**
 * Asks the farms to sign in to each of the accounts that some farm supports. An account has one open check at most: where there is
 * one already, the new job waits for that one as the older jobs do.
 * @returns the job, and how many checks it waits for
 */
export async function orderChecks(
  db: Db,
  tenant: string,
  of: { groupId: string } | { accountId: string },
  { sites }: SupportedSites,
  now: Date,
): Promise<{ jobId: string; total: number }> {
  const jobId = randomUUID();
  return db.transaction().execute(async (trx) => {
    const accounts = trx
      .selectFrom("accounts as a")
      .where((eb) => ("groupId" in of ? eb("a.group_id", "=", of.groupId) : eb("a.id", "=", of.accountId)))
      .where("a.status", "!=", "unsupported")
      .$if(sites !== null, (query) => query.where("a.site", "in", sites ?? []));
    await trx.insertInto("jobs").values({ id: jobId, user_id: tenant, kind: "check", total: 0, created_at: now }).execute();
    await trx
      .insertInto("account_checks")
      .columns(["id", "account_id", "site", "state", "error_message", "created_at"])
      .expression(
        accounts
          .select([
            sql<string>`gen_random_uuid()`.as("check_id"),
            "a.id",
            "a.site",
            sql<"waiting">`'waiting'`.as("state"),
            sql<string>`''`.as("error_message"),
            sql<Date>`${now}::timestamptz`.as("created_at"),
          ])
          // Two jobs that ask for the same accounts wait for each other in one direction.
          .orderBy("a.id"),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto("job_checks")
      .columns(["job_id", "check_id"])
      .expression(
        accounts
          .innerJoin("account_checks as c", "c.account_id", "a.id")
          .where("c.state", "in", openStates)
          .select([sql<string>`${jobId}::uuid`.as("job_id"), "c.id"]),
      )
      .executeTakeFirstOrThrow();
    const total = Number(numInsertedOrUpdatedRows ?? 0n);
    await trx.updateTable("jobs").set({ total }).where("id", "=", jobId).execute();
    return { jobId, total };
  });
}

/** A job is over when none of its checks is open: those of accounts that were deleted meanwhile are gone. @throws ApiError not_found */
export async function readJob(db: Db, tenant: string, id: string): Promise<z.input<typeof job>> {
  const row = await db
    .selectFrom("jobs as j")
    .leftJoin("job_checks as jc", "jc.job_id", "j.id")
    .leftJoin("account_checks as c", "c.id", "jc.check_id")
    .select(["j.id", "j.total", "j.created_at"])
    .select(({ fn }) => [
      fn.count<number>("c.id").filterWhere("c.state", "=", "passed").as("passed"),
      fn.count<number>("c.id").filterWhere("c.state", "=", "failed").as("failed"),
      fn.count<number>("c.id").filterWhere("c.state", "in", openStates).as("open"),
    ])
    .where("j.id", "=", id)
    .where("j.user_id", "=", tenant)
    .groupBy("j.id")
    .executeTakeFirstOrThrow(notFound);
  const { total, passed, failed, open } = row;
  return {
    id: row.id,
    kind: "check",
    status: open > 0 ? "running" : "completed",
    total,
    passed,
    failed,
    created_at: row.created_at.toISOString(),
  };
}

/** A farm that is at it tries what is out of date, so that its word would not count: open checks are handed out once more. */
export async function askAgain(trx: Transaction<ManagerTables>, accountIds: readonly string[]): Promise<void> {
  if (accountIds.length === 0) return;
  await trx
    .updateTable("account_checks as c")
    .from("accounts as a")
    .set(({ ref }) => ({ state: "waiting" as const, holder: null, lease_until: null, site: ref("a.site") }))
    .whereRef("a.id", "=", "c.account_id")
    .where("c.account_id", "in", accountIds)
    .where("c.state", "in", openStates)
    .execute();
}
