import { sql, type Kysely, type Transaction } from "kysely";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import { toMedium, type MediaUrl, type Medium } from "./documents.ts";
import type { Kept } from "./media-store.ts";
import { ownedBy } from "./owned.ts";
import { holding } from "../backlink/escape-like.ts";

type Db = Kysely<ManagerTables>;

const MAX_NAME_CHARACTERS = 150;

/** @param origin where the manager is reached from outside, asked each time: it is known only once it listens */
export function createMediaUrl(origin: () => string): MediaUrl {
  return (id, filename) => `${origin().replace(/\/+$/, "")}/api/v1/media/${id}/${encodeURIComponent(filename)}`;
}

/** A name that can stand at the end of an address: without folders and control characters, and not only dots. */
export function plainName(given: string, ending: string): string {
  const name = given
    .replace(/^.*[/\\]/, "")
    .replaceAll(/\p{Cc}/gu, "")
    .toWellFormed()
    .trim();
  return /^\.*$/.test(name) ? `file.${ending}` : [...name].slice(-MAX_NAME_CHARACTERS).join("");
}

export async function addMedium(
  db: Db,
  { tenant, filename, mediaUrl }: { tenant: string | null; filename: string; mediaUrl: MediaUrl },
  { id, kind, bytes, seconds }: Kept,
  now: Date,
): Promise<Medium> {
  const fields = { id, filename: plainName(filename, kind.ending), mime_type: kind.mime, duration_sec: seconds };
  await db
    .insertInto("media")
    .values({ ...fields, user_id: tenant, size_bytes: bytes, created_at: now })
    .execute();
  return toMedium({ ...fields, size_bytes: String(bytes) }, mediaUrl);
}

/** For whoever knows the id. */
export async function findMedium(db: Db, id: string): Promise<{ filename: string; mime_type: string } | null> {
  return (await db.selectFrom("media").select(["filename", "mime_type"]).where("id", "=", id).executeTakeFirst()) ?? null;
}

/** The newest first. */
export async function listMedia(
  db: Db,
  tenant: string | null,
  { page, limit, search }: { page: number; limit: number; search: string },
  mediaUrl: MediaUrl,
): Promise<{ data: Medium[]; total: number }> {
  const found = db
    .selectFrom("media")
    .where(ownedBy(tenant))
    .$if(search !== "", (query) => query.where("filename", "ilike", holding(search)));
  const { total } = await found.select((eb) => eb.fn.countAll<number>().as("total")).executeTakeFirstOrThrow();
  const rows = await found
    .select(["id", "filename", "mime_type", "duration_sec", sql<string>`size_bytes::text`.as("size_bytes")])
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(limit)
    .offset((page - 1) * limit)
    .execute();
  return { data: rows.map((row) => toMedium(row, mediaUrl)), total };
}

/** The row; the file is the caller's to remove once this is committed. @throws ApiError not_found; conflict while a variant has it */
export async function removeMedium(trx: Transaction<ManagerTables>, tenant: string | null, id: string): Promise<void> {
  // Whoever attaches it holds the row as well: of two one waits, and sees what the other did.
  const row = await trx.selectFrom("media").select("id").where("id", "=", id).where(ownedBy(tenant)).forUpdate().executeTakeFirst();
  if (!row) throw new ApiError("not_found");
  const use = await trx.selectFrom("variant_media").select("variant_id").where("media_id", "=", id).limit(1).executeTakeFirst();
  if (use) throw new ApiError("conflict", "a variant uses the medium");
  await trx.deleteFrom("media").where("id", "=", id).execute();
}
