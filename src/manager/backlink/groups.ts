import { randomUUID } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import type { z } from "zod";
import type { accountRoutes, group, groupStatuses, ServiceType } from "../../contract/backlink-api.ts";
import type { GroupRow, ManagerTables } from "../tables.ts";
import { holding } from "./escape-like.ts";
import { inOneView } from "./one-view.ts";
import { lockRequestsOfGroup, refuseWorkOnGroup } from "./running-work.ts";
import { readTallies, sumOf, type Tally } from "./tallies.ts";
import { notFound } from "./tenant.ts";

type Db = Kysely<ManagerTables>;
type Trx = Transaction<ManagerTables>;
export type ShownGroup = z.input<typeof group>;
type GroupsQuery = z.output<typeof accountRoutes.listGroups.query>;

export interface NewGroup {
  tenant: string;
  name: string;
  serviceType: ServiceType;
}

export async function insertGroup(db: Db, { tenant, name, serviceType }: NewGroup, now: Date): Promise<GroupRow> {
  return db
    .insertInto("groups")
    .values({ id: randomUUID(), user_id: tenant, name, service_type: serviceType, status: "active", created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** @throws ApiError not_found */
export async function findGroup(db: Db, tenant: string, id: string): Promise<GroupRow> {
  return db.selectFrom("groups").selectAll().where("id", "=", id).where("user_id", "=", tenant).executeTakeFirstOrThrow(notFound);
}

/** Nobody else adds accounts to it, or deletes it, until the transaction ends. @throws ApiError not_found */
export async function lockGroup(trx: Trx, tenant: string, id: string): Promise<GroupRow> {
  return trx
    .selectFrom("groups")
    .selectAll()
    .where("id", "=", id)
    .where("user_id", "=", tenant)
    .forUpdate()
    .executeTakeFirstOrThrow(notFound);
}

export async function listGroups(db: Db, tenant: string, query: GroupsQuery): Promise<{ rows: CountedGroup[]; total: number }> {
  const { page, limit } = query;
  return inOneView(db, async (trx) => {
    const chosen = choose(trx, tenant, query);
    const { total } = await chosen.select(({ fn }) => fn.countAll<number>().as("total")).executeTakeFirstOrThrow();
    const rows = await chosen
      .selectAll("g")
      .orderBy("g.created_at", "desc")
      .orderBy("g.id")
      .limit(limit)
      .offset((page - 1) * limit)
      .execute();
    return { rows: await withCounts(trx, rows), total };
  });
}

function choose(db: Db, tenant: string, { service_type, status, search, min_active }: GroupsQuery) {
  return db
    .selectFrom("groups as g")
    .where("g.user_id", "=", tenant)
    .$if(service_type !== null, (groups) => groups.where("g.service_type", "=", service_type ?? ""))
    .$if(status !== null, (groups) => groups.where("g.status", "=", status ?? ""))
    .$if(search !== "", (groups) => groups.where("g.name", "ilike", holding(search)))
    .$if(min_active > 0, (groups) =>
      groups.where(
        (eb) =>
          eb
            .selectFrom("tallies as t")
            .select(({ fn }) => fn.sum<number>("t.n").as("active"))
            .whereRef("t.of_id", "=", "g.id")
            .where("t.word", "=", "active"),
        ">=",
        min_active,
      ),
    );
}

type CountedGroup = GroupRow & { accounts: Tally };

/** With how many accounts each has. */
export async function withCounts(db: Db, rows: readonly GroupRow[]): Promise<CountedGroup[]> {
  const tallies = await readTallies(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({ ...row, accounts: tallies.get(row.id) ?? {} }));
}

/** As the API has it. */
export function showGroup({ accounts, ...row }: CountedGroup): ShownGroup {
  const [all, active] = [sumOf(accounts), accounts["active"] ?? 0];
  return {
    id: row.id,
    user_id: row.user_id ?? "",
    name: row.name,
    service_type: row.service_type as ServiceType,
    status: row.status as (typeof groupStatuses)[number],
    account_count: all,
    account_active: active,
    result: `${active} / ${all}`,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/**
 * An inactive group makes no new work: no request starts on it, and nobody gets its links that wait. What a farm holds already is
 * finished. When the group is active again, all of it goes on.
 * @throws ApiError not_found
 */
export async function changeGroup(
  db: Db,
  tenant: string,
  id: string,
  { name, status }: z.output<typeof accountRoutes.changeGroup.body>,
  now: Date,
): Promise<GroupRow> {
  if (name === undefined && status === undefined) return findGroup(db, tenant, id);
  return db.transaction().execute(async (trx) => {
    const before = await lockGroup(trx, tenant, id);
    if (status !== undefined && status !== before.status) await lockRequestsOfGroup(trx, id);
    return trx
      .updateTable("groups")
      .set({ ...(name !== undefined && { name }), ...(status !== undefined && { status }), updated_at: now })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow(notFound);
  });
}

/** With its accounts. @throws ApiError not_found; conflict while a request on it runs */
export async function deleteGroup(trx: Trx, tenant: string, id: string): Promise<GroupRow> {
  const row = await lockGroup(trx, tenant, id);
  await refuseWorkOnGroup(trx, id);
  await trx.deleteFrom("groups").where("id", "=", id).execute();
  return row;
}
