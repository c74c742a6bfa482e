import { sql, type Kysely } from "kysely";
import type { z } from "zod";
import type { accountRoutes } from "../../contract/backlink-api.ts";
import type { ManagerTables } from "../tables.ts";
import { accountsOf, type OwnAccount } from "./accounts-of-group.ts";
import { holding } from "./escape-like.ts";
import { findGroup } from "./groups.ts";
import { inOneView } from "./one-view.ts";
import { readTallies, sumOf } from "./tallies.ts";

type Db = Kysely<ManagerTables>;
type AccountsQuery = z.output<typeof accountRoutes.listAccounts.query>;

interface Page {
  ids: string[];
  total: number;
}

/** The newest first; rows of one import in its order. @throws ApiError not_found */
export async function listAccounts(
  db: Db,
  tenant: string,
  groupId: string,
  query: AccountsQuery,
): Promise<{ rows: OwnAccount[]; total: number }> {
  return inOneView(db, async (trx) => {
    await findGroup(trx, tenant, groupId);
    const offset = (query.page - 1) * query.limit;
    const { ids, total } = await (query.search === "" ? pageByIndex : pageBySearch)(trx, groupId, query, offset);
    return { rows: await readRows(trx, tenant, ids), total };
  });
}

async function pageByIndex(db: Db, groupId: string, { status, limit }: AccountsQuery, offset: number): Promise<Page> {
  const tally = (await readTallies(db, [groupId])).get(groupId) ?? {};
  const total = status === null ? sumOf(tally) : (tally[status] ?? 0);
  if (offset >= total) return { ids: [], total };
  const rows = await ofGroup(db, groupId, status)
    .select("a.id")
    .orderBy("a.created_at", "desc")
    .orderBy("a.id")
    .limit(limit)
    .offset(offset)
    .execute();
  return { ids: rows.map(({ id }) => id), total };
}

function ofGroup(db: Db, groupId: string, status: AccountsQuery["status"]) {
  return db
    .selectFrom("accounts as a")
    .where("a.group_id", "=", groupId)
    .$if(status !== null, (accounts) => accounts.where("a.status", "=", status ?? ""));
}

/** Looks at each account of the group, once. */
async function pageBySearch(db: Db, groupId: string, query: AccountsQuery, offset: number): Promise<Page> {
  const { status, search, limit } = query;
  const pattern = holding(search);
  const rows = await db
    .with(
      (cte) => cte("hits").materialized(),
      () =>
        ofGroup(db, groupId, status)
          .select(["a.id", "a.created_at"])
          .where(({ eb, or, ref }) =>
            or(
              [ref("a.website"), ref("a.site"), ref("a.username"), ref("a.email"), ref("a.note")].map((column) =>
                eb(column, "ilike", pattern),
              ),
            ),
          ),
    )
    .selectFrom("hits")
    .select(["hits.id", sql<number>`(select count(*)::int from hits)`.as("total")])
    .orderBy("hits.created_at", "desc")
    .orderBy("hits.id")
    .limit(limit)
    .offset(offset)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (rows[0] || offset === 0) return { ids, total: rows[0]?.total ?? 0 };
  const { total } = await pageBySearch(db, groupId, { ...query, limit: 1 }, 0);
  return { ids, total };
}

/** In the order of `ids`. */
async function readRows(db: Db, tenant: string, ids: readonly string[]): Promise<OwnAccount[]> {
  if (ids.length === 0) return [];
  const rows = await accountsOf(db, tenant).where("a.id", "in", ids).execute();
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => found.get(id) ?? []);
}
