import { sql, type ExpressionBuilder, type Kysely, type SelectQueryBuilder } from "kysely";
import type { z } from "zod";
import type { project, request, requestItem, requestRoutes, RequestStatus, ServiceType } from "../../contract/backlink-api.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import { holding } from "./escape-like.ts";
import { direction, tieBreak } from "./list-order.ts";
import { inOneView } from "./one-view.ts";
import type { RequestKey } from "./request-life.ts";
import { creditsHeld } from "./units.ts";

type Db = Kysely<ManagerTables>;
type WithRequests = ManagerTables & { r: ManagerTables["requests"] };
type Chosen = SelectQueryBuilder<WithRequests, "r", object>;

export interface Listed<Item> {
  data: Item[];
  total: number;
}

const itemColumns = [
  "r.id",
  "r.service_type",
  "r.type_request",
  "r.group_id",
  "r.name",
  "r.website",
  "r.auction_price",
  "r.target",
  "r.created_links",
  "r.done_units",
  "r.status",
  "r.started_at",
  "r.completed_at",
  "r.created_at",
] as const;

/** null and "" choose all. */
interface Filters {
  type: ServiceType | null;
  status: RequestStatus | null;
  search: string;
  type_request?: string;
}

function chosen(db: Db, tenant: string, { type, status, search, type_request = "" }: Filters): Chosen {
  return db
    .selectFrom("requests as r")
    .where("r.user_id", "=", tenant)
    .$if(type !== null, (query) => query.where("r.service_type", "=", type ?? ""))
    .$if(status !== null, (query) => query.where("r.status", "=", status ?? "pending"))
    .$if(type_request !== "", (query) => query.where("r.type_request", "=", type_request))
    .$if(search !== "", (query) => query.where((eb) => mentions(eb, search)));
}

function mentions(eb: ExpressionBuilder<WithRequests, "r">, search: string) {
  return eb.or([eb("r.name", "ilike", holding(search)), eb("r.website", "ilike", holding(search))]);
}

type Paging = Pick<z.output<typeof requestRoutes.listRequests.query>, "page" | "limit" | "sort" | "order">;

async function pageOf(rows: Chosen, { page, limit, sort, order }: Paging): Promise<Listed<ItemRow>> {
  const data = await rows
    .select(itemColumns)
    .orderBy(`r.${sort}`, direction(sort, order))
    .orderBy("r.id", tieBreak(order))
    .limit(limit)
    .offset((page - 1) * limit)
    .execute();
  const { total } = await rows.select(sql<number>`count(*)::int`.as("total")).executeTakeFirstOrThrow();
  return { data, total };
}

export async function listRequests(
  db: Db,
  tenant: string,
  type: ServiceType,
  query: z.output<typeof requestRoutes.listRequests.query>,
): Promise<Listed<z.input<typeof requestItem>>> {
  const { data, total } = await inOneView(db, async (trx) => pageOf(chosen(trx, tenant, { type, ...query }), query));
  return { data: data.map(toItem), total };
}

export async function listProjects(
  db: Db,
  tenant: string,
  query: z.output<typeof requestRoutes.listProjects.query>,
): Promise<Listed<z.input<typeof project>>> {
  const newestFirst = { ...query, sort: "created_at", order: "desc" } as const;
  const { data, total } = await inOneView(db, async (trx) => pageOf(chosen(trx, tenant, query), newestFirst));
  return { data: data.map(toProject), total };
}

/** @throws ApiError not_found */
export async function readRequest(db: Db, { tenant, type, id }: RequestKey): Promise<z.input<typeof request>> {
  const [found] = await readRequests(db, tenant, [id]);
  if (!found || (type !== null && found.service_type !== type)) throw new ApiError("not_found");
  return found;
}

/** In the order of `ids`; what is unknown or another owner's is left out. */
export async function readRequests(db: Db, tenant: string, ids: readonly string[]): Promise<z.input<typeof request>[]> {
  if (ids.length === 0) return [];
  const rows = await selectWhole(db, tenant, ids);
  const found = new Map(rows.map((row) => [row.id, toRequest(row)]));
  return [...new Set(ids)].flatMap((id) => found.get(id.toLowerCase()) ?? []);
}

async function selectWhole(db: Db, tenant: string, ids: readonly string[]) {
  return db
    .selectFrom("requests as r")
    .select([...itemColumns, "r.user_id", "r.priority", "r.config", "r.data", "r.folder_urls", "r.updated_at", "r.spent_credits"])
    .select(creditsHeld.as("held"))
    .where("r.user_id", "=", tenant)
    .where("r.id", "in", ids)
    .execute();
}

interface ItemRow {
  id: string;
  service_type: string;
  type_request: string;
  group_id: string | null;
  name: string;
  website: string;
  auction_price: number;
  target: number;
  created_links: number;
  done_units: number;
  status: RequestStatus;
  started_at: Date | null;
  completed_at: Date | null;
  created_at: Date;
}

function toItem(row: ItemRow): z.input<typeof requestItem> {
  return {
    id: row.id,
    service_type: row.service_type as ServiceType,
    group_id: row.group_id,
    name: row.name,
    website: row.website,
    auction_price: row.auction_price,
    target: row.target,
    created_links: row.created_links,
    status: row.status,
    type_request: row.type_request,
    started_at: row.started_at?.toISOString() ?? null,
    completed_at: row.completed_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}

const resultOf = ({ done_units, target }: Pick<ItemRow, "done_units" | "target">): string => `${done_units} / ${target}`;

function toProject(row: ItemRow): z.input<typeof project> {
  const { service_type, group_id: _group, completed_at: _completed, ...item } = toItem(row);
  return { ...item, type: service_type, result: resultOf(row) };
}

function toRequest(row: Awaited<ReturnType<typeof selectWhole>>[number]): z.input<typeof request> {
  return {
    ...toItem(row),
    user_id: row.user_id ?? "",
    priority: row.priority,
    config: row.config as Record<string, unknown>,
    data: row.data as Record<string, unknown>,
    folder_urls: row.folder_urls as Record<string, unknown>,
    result: resultOf(row),
    credits: { held: row.held, spent: row.spent_credits },
    updated_at: row.updated_at.toISOString(),
  };
}
