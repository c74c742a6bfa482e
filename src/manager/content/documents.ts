import { sql, type Kysely, type RawBuilder } from "kysely";
import type { z } from "zod";
import type { content, medium, UsageMode, variant } from "../../contract/content-api.ts";
import { createBatchLoader } from "../../kit/batch-loader.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";

export type Medium = z.output<typeof medium>;
export type Variant = z.output<typeof variant>;
export type Content = z.output<typeof content>;
/** Where others get a file from. */
export type MediaUrl = (id: string, filename: string) => string;

export type StoredMedium = Omit<Medium, "url">;
/** A variant as the database puts it together; addresses are added when it is answered, for the manager's own may change. */
export type StoredVariant = Omit<Variant, "mediaIds" | "media_count" | "media"> & { media: StoredMedium[] };

interface ContentRow {
  id: string;
  status: "active" | "inactive";
  title: string;
  type: "social" | "wordpress";
  action_type: string;
  variant_usage_mode: UsageMode;
  created_at: Date;
  updated_at: Date;
  document: { variants: StoredVariant[]; tags: { id: string; name: string }[] };
}

const columns = sql`id, status, title, type, action_type, variant_usage_mode, created_at, updated_at,
  manager.content_document(id) as document`;

/**
 * Contents with all that belongs to them, in one query.
 * @param from what stands behind FROM: rows of `manager.contents`, and their order
 */
export async function readDocuments(db: Kysely<ManagerTables>, from: RawBuilder<unknown>, mediaUrl: MediaUrl): Promise<Content[]> {
  const { rows } = await sql<ContentRow>`select ${columns} from ${from}`.execute(db);
  return rows.map((row) => toContent(row, mediaUrl));
}

/** A content, and whose it has to be. */
interface Asked {
  tenant: string | null;
  id: string;
}

/** Reads a content by its id; those that are asked for at the same time in one query. @throws ApiError not_found */
export function createContentReader(
  db: Kysely<ManagerTables>,
  mediaUrl: MediaUrl,
): (tenant: string | null, id: string) => Promise<Content> {
  const find = createBatchLoader(async (asked: readonly Asked[]) => findContents(db, asked, mediaUrl));
  return async (tenant, id) => {
    const content = await find({ tenant, id });
    if (!content) throw new ApiError("not_found");
    return content;
  };
}

async function findContents(db: Kysely<ManagerTables>, asked: readonly Asked[], mediaUrl: MediaUrl): Promise<(Content | null)[]> {
  const [ids, tenants] = [asked.map(({ id }) => id), asked.map(({ tenant }) => tenant)];
  const { rows } = await sql<ContentRow & { place: number }>`
    select place, ${columns}
      from unnest(${ids}::uuid[], ${tenants}::uuid[]) with ordinality asked(content_id, tenant, place)
      join manager.contents on id = content_id and user_id is not distinct from tenant`.execute(db);
  const found = new Map(rows.map((row) => [row.place, row]));
  return asked.map((_, index) => {
    const row = found.get(index + 1);
    return row ? toContent(row, mediaUrl) : null;
  });
}

export async function readVariant(db: Kysely<ManagerTables>, id: string): Promise<StoredVariant | null> {
  const { rows } = await sql<{ document: StoredVariant }>`
    select manager.variant_document(v) as document from manager.content_variants v where id = ${id}`.execute(db);
  return rows[0]?.document ?? null;
}

function toContent(row: ContentRow, mediaUrl: MediaUrl): Content {
  const { id, status, title, type, action_type, variant_usage_mode } = row;
  const { tags } = row.document;
  const variants = row.document.variants.map((one) => toVariant(one, mediaUrl));
  return {
    id,
    status,
    title,
    type,
    action_type,
    content_data: { type, variant_usage_mode, variants },
    tags,
    fbAccount: null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    _count: {
      tags: tags.length,
      variants: variants.length,
      total_media: variants.reduce((sum, { media_count }) => sum + media_count, 0),
      folders: 0,
      unused_variants: variants.filter(({ isUsed }) => !isUsed).length,
    },
  };
}

export function toVariant({ media, isUsed, lastUsedAt, ...row }: StoredVariant, mediaUrl: MediaUrl): Variant {
  const { id, content, media_usage_mode, weight, order } = row;
  return {
    id,
    content,
    mediaIds: media.map((one) => one.id),
    media_count: media.length,
    media_usage_mode,
    weight,
    order,
    isUsed,
    lastUsedAt,
    media: media.map((one) => toMedium(one, mediaUrl)),
  };
}

export function toMedium({ id, filename, mime_type, size_bytes, duration_sec }: StoredMedium, mediaUrl: MediaUrl): Medium {
  return { id, url: mediaUrl(id, filename), filename, mime_type, size_bytes, duration_sec };
}
