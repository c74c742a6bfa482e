import { sql, type ExpressionBuilder, type RawBuilder } from "kysely";
import type { ManagerTables } from "./tables.ts";

/**
 * The feed that a request's secondaries import: of the account whose primary task was completed first, among those that have
 * reported one. null while there is none.
 */
export function feedOfRequest(requestId: RawBuilder<string>): RawBuilder<string | null> {
  return sql<string | null>`(
    select a.link_rss from manager.links p join manager.accounts a on a.id = p.account_id
    where p.request_id = ${requestId} and p.kind = 'primary' and p.state = 'completed' and a.link_rss <> ''
    order by p.completed_at, p.id limit 1)`;
}

type Links = ExpressionBuilder<ManagerTables & { l: ManagerTables["links"] }, "l">;

/** Nothing is missing that the task needs: a secondary waits for its feed. */
export function hasItsWork(eb: Links) {
  return eb.or([eb("l.kind", "=", "primary"), eb("l.link_rss", "!=", ""), eb(feedOfRequest(sql.ref("l.request_id")), "is not", null)]);
}
