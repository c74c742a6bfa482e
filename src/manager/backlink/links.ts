import { sql, type Kysely } from "kysely";
import type { z } from "zod";
import type { LinkStatus, requestRoutes } from "../../contract/backlink-api.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import { countPhases, sizeOf } from "./count-links.ts";
import { holding } from "./escape-like.ts";
import { idsOfPage, linkColumns } from "./link-pages.ts";
import { branchesAt, linkStatus, wholePhases, type Branch } from "./link-status.ts";
import { direction, tieBreak } from "./list-order.ts";
import { inOneView } from "./one-view.ts";
import type { Listed } from "./requests.ts";
import { showLinks, type LinksOf, type LinksParts, type ShownLink } from "./shown-links.ts";
import type { Owned } from "./tenant.ts";

type Db = Kysely<ManagerTables>;
type LinksQuery = z.output<typeof requestRoutes.listLinks.query>;

/** @throws ApiError not_found */
export async function requireRequest(db: Db, tenant: string, { id, type }: LinksOf): Promise<{ created_links: number }> {
  const found = await db
    .selectFrom("requests")
    .select("created_links")
    .where("id", "=", id)
    .where("user_id", "=", tenant)
    .where("service_type", "=", type)
    .executeTakeFirst();
  if (!found) throw new ApiError("not_found");
  return found;
}

export async function listLinks(parts: LinksParts, who: Owned, of: LinksOf, query: LinksQuery): Promise<Listed<ShownLink>> {
  const { rows, total } = await inOneView(parts.db, async (db) => {
    await requireRequest(db, who.tenant, of);
    const { ids, total: all } = await (query.search === "" ? pageByIndex : pageBySearch)({ ...parts, db }, of.id, query);
    return { rows: await readRows({ ...parts, db }, of.id, ids), total: all };
  });
  return { data: await showLinks(parts, who, of, rows), total };
}

interface Page {
  ids: string[];
  total: number;
}

const placeOf = ({ page, limit }: LinksQuery) => ({ limit, offset: (page - 1) * limit });

async function pageByIndex({ db, now }: LinksParts, requestId: string, query: LinksQuery): Promise<Page> {
  const branches = branchesFor(query, now);
  const needsClock = branches.some(({ holds }) => holds !== null);
  const counts = await countPhases(db, (requests) => requests.where("r.id", "=", requestId), needsClock ? now : null);
  const total = branches.reduce((sum, branch) => sum + sizeOf(branch, counts), 0);
  const place = placeOf(query);
  const ids = place.offset < total ? await idsOfPage(db, { requestId, branches, counts }, query, place) : [];
  return { ids, total };
}

/** Told apart by status only where it matters. */
function branchesFor({ status, sort }: LinksQuery, now: Date): readonly Branch[] {
  if (status !== null) return branchesAt(now).filter((branch) => branch.status === status);
  return sort === "status" ? branchesAt(now) : wholePhases;
}

/** Looks at each link of the request, once. */
async function pageBySearch(parts: LinksParts, requestId: string, query: LinksQuery, place = placeOf(query)): Promise<Page> {
  const { sort, order } = query;
  const isByStatus = sort === "status";
  const rows = await parts.db
    .with(
      (cte) => cte("hits").materialized(),
      () =>
        searched(parts, requestId, query).select([
          "l.id",
          "l.created_at",
          isByStatus ? linkStatus(parts.now).as("key") : sql<LinkStatus>`${sql.ref(linkColumns[sort])}`.as("key"),
        ]),
    )
    .selectFrom("hits")
    .select(["hits.id", sql<number>`(select count(*)::int from hits)`.as("total")])
    .orderBy("hits.key", direction(sort, order))
    .$if(isByStatus, (hits) => hits.orderBy("hits.created_at", "desc"))
    .orderBy("hits.id", isByStatus ? "asc" : tieBreak(order))
    .limit(place.limit)
    .offset(place.offset)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (rows[0] || place.offset === 0) return { ids, total: rows[0]?.total ?? 0 };
  const { total } = await pageBySearch(parts, requestId, query, { limit: 1, offset: 0 });
  return { ids, total };
}

/** In the order of `ids`. */
async function readRows(parts: LinksParts, requestId: string, ids: readonly string[]) {
  if (ids.length === 0) return [];
  const rows = await selectLinks(parts, requestId).where("l.id", "in", ids).execute();
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** @throws ApiError not_found */
export async function readLink(parts: LinksParts, who: Owned, of: LinksOf, linkId: string): Promise<ShownLink> {
  await requireRequest(parts.db, who.tenant, of);
  const rows = await selectLinks(parts, of.id).where("l.id", "=", linkId).execute();
  const [shown] = await showLinks(parts, who, of, rows);
  if (!shown) throw new ApiError("not_found");
  return shown;
}

function searched({ db, now }: LinksParts, requestId: string, { status, search }: LinksQuery) {
  const like = holding(search);
  return db
    .selectFrom("links as l")
    .innerJoin("accounts as a", "a.id", "l.account_id")
    .where("l.request_id", "=", requestId)
    .$if(status !== null, (query) => query.where(linkStatus(now), "=", status))
    .where((eb) =>
      eb.or([eb("l.site", "ilike", like), eb("l.link_post", "ilike", like), eb("a.email", "ilike", like), eb("a.username", "ilike", like)]),
    );
}

/** All of a request. */
export function selectLinks({ db, now }: LinksParts, requestId: string) {
  return db
    .selectFrom("links as l")
    .innerJoin("accounts as a", "a.id", "l.account_id")
    .where("l.request_id", "=", requestId)
    .select([
      "l.id",
      "l.server_id",
      "l.server_name",
      "l.account_id",
      "l.site",
      "a.email",
      "a.username",
      "a.password",
      "l.about",
      "l.link_profile",
      "l.link_post",
      "l.note",
      "l.error_message",
      "l.retry_count",
      "l.max_retries",
      "l.is_indexed",
      "l.started_at",
      "l.completed_at",
      "l.created_at",
      "l.kind",
    ])
    .select([linkStatus(now).as("status"), sql<string>`case when l.kind = 'primary' then a.link_rss else l.link_rss end`.as("feed")]);
}
