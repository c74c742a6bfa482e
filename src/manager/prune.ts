import { sql, type Kysely, type RawBuilder } from "kysely";
import { setImmediate } from "node:timers/promises";
import type { ManagerTables } from "./tables.ts";

const DAY_MS = 24 * 60 * 60_000;
/** So few at a time that nobody waits for it, who shares the connection or the rows. */
const ROWS_A_STATEMENT = 1000;
/** What is left waits for the next time. */
const STATEMENTS_A_TABLE = 200;

/** A row that may go, as a condition on the table's alias `t`. In this order: a check goes after the jobs that counted it. */
const rules: Readonly<Record<string, (now: Date) => RawBuilder<unknown>>> = {
  refresh_tokens: (now) => sql`t.expires_at <= ${now}`,
  jobs: (now) => sql`t.created_at <= ${ago(now, 30)} and not exists (
    select from manager.job_checks jc join manager.account_checks c on c.id = jc.check_id
    where jc.job_id = t.id and (c.ended_at is null or c.ended_at > ${ago(now, 30)}))`,
  account_checks: (now) => sql`t.ended_at <= ${ago(now, 30)} and not exists (
    select from manager.job_checks jc where jc.check_id = t.id)`,
  // While no farm gives a sign of life, what they could do last stays: else each site would count as supported.
  announced_sites: (now) => sql`t.seen_at <= ${ago(now, 7)} and exists (
    select from manager.announced_sites s where s.kind = t.kind and s.seen_at > ${ago(now, 7)})`,
};

/**
 * Deletes what nobody can ask for any more: refresh tokens that have expired; checks, and jobs whose checks have all ended, after
 * 30 days; what farms announced that were not seen for 7. A content's picks stay as long as
 * it does: a key means the same text for ever. Several managers may do it at once.
 * @returns how many rows of each table
 */
export async function prune(db: Kysely<ManagerTables>, now: Date, until?: AbortSignal): Promise<Record<string, number>> {
  const pruned: Record<string, number> = {};
  for (const [table, rule] of Object.entries(rules)) {
    pruned[table] = 0;
    for (let statement = 0; statement < STATEMENTS_A_TABLE; statement += 1) {
      const rows = await deleteSome(db, table, rule(now));
      pruned[table] += rows;
      if (rows < ROWS_A_STATEMENT || until?.aborted) break;
      await setImmediate();
    }
  }
  return pruned;
}

async function deleteSome(db: Kysely<ManagerTables>, table: string, mayGo: RawBuilder<unknown>): Promise<number> {
  const name = sql.table(`manager.${table}`);
  const { numAffectedRows = 0n } = await sql`delete from ${name} where ctid = any(array(
    select t.ctid from ${name} t where ${mayGo} limit ${sql.lit(ROWS_A_STATEMENT)} for update skip locked))`.execute(db);
  return Number(numAffectedRows);
}

function ago(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY_MS);
}
