import { sql } from "kysely";
import type { Streamed } from "../../../kit/api/stream-answer.ts";
import { requireRequest, selectLinks } from "../links.ts";
import { showLink, type LinksOf, type LinksParts, type ShownLink, type ShownRow } from "../shown-links.ts";
import type { Owned } from "../tenant.ts";
import { asCsv, asJson } from "./formats.ts";
import { noteExport } from "./note-export.ts";
import { rowsInOrder } from "./rows-after.ts";
import { streamRows } from "./stream-rows.ts";

const columns = [
  "id",
  "service_type",
  "server_id",
  "server_name",
  "site_id",
  "site_name",
  "email",
  "username",
  "password",
  "about",
  "link_profile",
  "link_post",
  "link_rss",
  "kind",
  "status",
  "note",
  "error_message",
  "retry_count",
  "max_retries",
  "is_indexed",
  "started_at",
  "completed_at",
  "created_at",
  "account_id",
] as const;

/** All of a request's, the newest first. @throws ApiError not_found */
export async function exportLinks(parts: LinksParts, who: Owned, of: LinksOf, format: Streamed["format"]): Promise<Streamed> {
  const { created_links: howMany } = await requireRequest(parts.db, who.tenant, of);
  const secrets = who.reveals ? await countPasswords(parts, of.id) : 0;
  await noteExport(parts.db, who, { action: "links.export", what: `links of request ${of.id}`, howMany, secrets }, parts.now);
  const show = (row: ShownRow): ShownLink => showLink(row, of.type, who, parts.vault);
  return streamRows(linksInOrder(parts, of.id), format === "csv" ? asCsv(columns, "spreadsheet", show) : asJson({}, "links", show));
}

async function countPasswords({ db }: LinksParts, requestId: string): Promise<number> {
  const { all } = await db
    .selectFrom("links as l")
    .innerJoin("accounts as a", "a.id", "l.account_id")
    .select(sql<number>`count(*)::int`.as("all"))
    .where("l.request_id", "=", requestId)
    .where("a.password", "<>", "")
    .executeTakeFirstOrThrow();
  return all;
}

function linksInOrder(parts: LinksParts, requestId: string) {
  const all = selectLinks(parts, requestId);
  return rowsInOrder<ShownRow>({
    ofMoment: async ({ created_at, id }, limit) =>
      all.where("l.created_at", "=", created_at).where("l.id", ">", id).orderBy("l.id").limit(limit).execute(),
    beyond: async (place, limit) =>
      all
        .$if(place !== null, (query) => query.where("l.created_at", "<", place?.created_at ?? new Date(0)))
        .orderBy("l.created_at", "desc")
        .orderBy("l.id")
        .limit(limit)
        .execute(),
  });
}
