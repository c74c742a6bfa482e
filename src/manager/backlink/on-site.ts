import { sql, type RawBuilder, type Transaction } from "kysely";
import type { ManagerTables } from "../tables.ts";
import { linkPhases } from "./link-status.ts";

type Trx = Transaction<ManagerTables>;

/** The ids of episodes in a column of the link `l`. */
export const idsIn = (column: "episodes" | "posted"): RawBuilder<string[]> =>
  sql<
    string[]
  >`coalesce((select jsonb_agg(e ->> 'id' order by n) from jsonb_array_elements(${sql.ref(`l.${column}`)}) with ordinality t (e, n)), '[]')`;

/**
 * Which of a request's episodes are on which site, whoever of its accounts posted them: all of a completed link's, and what farms said
 * that they had posted before a task failed. @param site absent: on all of them
 */
export async function episodesOnSites(trx: Trx, requestId: string, site?: string): Promise<Map<string, Set<string>>> {
  const rows = await trx
    .selectFrom("links as l")
    .select(["l.site", sql<string[]>`case when l.state = 'completed' then ${idsIn("episodes")} else ${idsIn("posted")} end`.as("ids")])
    .where("l.request_id", "=", requestId)
    // As the indexes begin.
    .where("l.phase", "in", linkPhases)
    .where("l.kind", "=", "primary")
    .where("l.units_done", ">", 0)
    .$if(site !== undefined, (query) => query.where("l.site", "=", site ?? ""))
    .execute();
  const found = new Map<string, Set<string>>();
  for (const row of rows) found.set(row.site, new Set([...(found.get(row.site) ?? []), ...row.ids]));
  return found;
}
