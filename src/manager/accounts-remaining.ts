import { sql, type Kysely } from "kysely";
import { anyOf } from "./any-of.ts";
import type { ManagerTables } from "./tables.ts";

/**
 * How many accounts of each of these requests have yet to import its feed. A request without an owner is given its work task by
 * task: there the active accounts of its group without a task of it count as well.
 */
export async function accountsRemaining(db: Kysely<ManagerTables>, requestIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom("requests as r")
    .select([
      "r.id",
      sql<number>`(select count(*)::int from manager.links i
        where i.request_id = r.id and i.kind = 'secondary' and i.state not in ('completed', 'failed', 'canceled'))`.as("imports"),
      sql<number>`case when r.user_id is null then (select count(*)::int from manager.accounts a
        where a.group_id = r.group_id and a.status = 'active'
          and not exists (select from manager.links t where t.account_id = a.id and t.request_id = r.id)) else 0 end`.as("others"),
    ])
    .where("r.id", "=", anyOf(requestIds, "uuid"))
    .execute();
  return new Map(rows.map(({ id, imports, others }) => [id, imports + others]));
}
