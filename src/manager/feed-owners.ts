import type { Kysely } from "kysely";
import { anyOf } from "./any-of.ts";
import type { AccountRow, LinkRow, ManagerTables } from "./tables.ts";

/**
 * Whose mailbox gets the codes of a feed that a request's secondaries import: the account of that request's own primary which has
 * reported the feed, or, where the feed has moved since, of the primary that was completed first.
 */
export async function feedOwners(
  db: Kysely<ManagerTables>,
  tasks: readonly Pick<LinkRow, "kind" | "request_id">[],
): Promise<(task: Pick<LinkRow, "request_id" | "link_rss">) => AccountRow | undefined> {
  const requestIds = new Set(tasks.filter(({ kind }) => kind === "secondary").map(({ request_id }) => request_id));
  if (requestIds.size === 0) return () => undefined;
  const owners = await db
    .selectFrom("links as p")
    .innerJoin("accounts as a", "a.id", "p.account_id")
    .selectAll("a")
    .select("p.request_id")
    .where("p.request_id", "=", anyOf([...requestIds], "uuid"))
    .where("p.kind", "=", "primary")
    .where("p.state", "=", "completed")
    .where("a.link_rss", "!=", "")
    .orderBy("p.completed_at")
    .orderBy("p.id")
    .execute();
  const byRequest = Map.groupBy(owners, ({ request_id }) => request_id);
  return ({ request_id, link_rss }) => {
    const own = byRequest.get(request_id) ?? [];
    return own.find((owner) => owner.link_rss === link_rss) ?? own[0];
  };
}
