import { sql, type Kysely } from "kysely";
import type { Streamed } from "../../../kit/api/stream-answer.ts";
import { isUuid } from "../../../kit/uuid.ts";
import { audit } from "../../people/audit.ts";
import type { ManagerTables } from "../../tables.ts";
import { readRequests } from "../requests.ts";
import type { Owned } from "../tenant.ts";
import { asCsv, asJson } from "./formats.ts";
import { rowsOf } from "./rows-after.ts";
import { streamRows } from "./stream-rows.ts";

const columns = [
  "id",
  "service_type",
  "type_request",
  "group_id",
  "name",
  "website",
  "auction_price",
  "target",
  "created_links",
  "result",
  "status",
  "priority",
  "config",
  "data",
  "folder_urls",
  "started_at",
  "completed_at",
  "created_at",
] as const;

/** In the order of the ids; what is unknown or another owner's is left out. */
export async function exportRequests(
  { db, now }: { db: Kysely<ManagerTables>; now: Date },
  who: Owned,
  given: readonly string[],
  format: Streamed["format"],
): Promise<Streamed> {
  const ids = [...new Set(given.filter(isUuid).map((id) => id.toLowerCase()))];
  await audit(db, who, { action: "requests.export", what: "requests", howMany: await count(db, who.tenant, ids) }, now);
  const rows = rowsOf(ids, async (some) => readRequests(db, who.tenant, some));
  return streamRows(rows, format === "csv" ? asCsv(columns, "spreadsheet", (row) => row) : asJson({}, "requests", (row) => row));
}

async function count(db: Kysely<ManagerTables>, tenant: string, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const { all } = await db
    .selectFrom("requests")
    .select(sql<number>`count(*)::int`.as("all"))
    .where("user_id", "=", tenant)
    .where("id", "in", ids)
    .executeTakeFirstOrThrow();
  return all;
}
