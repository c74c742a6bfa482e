import { randomUUID } from "node:crypto";
import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What the Content API keeps. Rows without an owner belong to the API keys that belong to nobody. */
export const contents: Migration = {
  async up(db: Kysely<unknown>) {
    await createContents(db);
    await createMedia(db);
    await createTags(db);
    await createDocuments(db);
  },
  async down(db: Kysely<unknown>) {
    await sql`drop function manager.content_document(uuid)`.execute(db);
    await sql`drop function manager.variant_document(manager.content_variants)`.execute(db);
    for (const table of ["content_tags", "tags", "variant_media", "media", "media_store", "content_picks", "content_variants", "contents"])
      await db.schema.dropTable(table).execute();
  },
};

const usageMode = (column: string) => sql`${sql.ref(column)} in ('random', 'sequential', 'weighted')`;

async function createContents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("contents")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("user_id", "uuid", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("title", "text", (column) => column.notNull())
    .addColumn("type", "text", (column) => column.notNull().check(sql`type in ('social', 'wordpress')`))
    .addColumn("action_type", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull().check(sql`status in ('active', 'inactive')`))
    .addColumn("variant_usage_mode", "text", (column) => column.notNull().check(usageMode("variant_usage_mode")))
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("updated_at", "timestamptz", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("contents_of_user").on("contents").columns(["user_id", "created_at desc", "id"]).execute();
  await db.schema
    .createTable("content_variants")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("content_id", "uuid", (column) => column.notNull().references("contents.id").onDelete("cascade"))
    .addColumn("content", "text", (column) => column.notNull())
    .addColumn("media_usage_mode", "text", (column) => column.notNull().check(usageMode("media_usage_mode")))
    .addColumn("weight", "double precision", (column) => column.notNull().check(sql`weight >= 0`))
    .addColumn("order", "integer", (column) => column.notNull())
    .addColumn("place", "integer", (column) => column.notNull())
    .addColumn("is_used", "boolean", (column) => column.notNull().defaultTo(false))
    .addColumn("last_used_at", "timestamptz")
    .execute();
  await db.schema.createIndex("content_variants_in_order").on("content_variants").columns(["content_id", "order", "place"]).execute();
  await db.schema
    .createTable("content_picks")
    .addColumn("content_id", "uuid", (column) => column.notNull().references("contents.id").onDelete("cascade"))
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("pick", "jsonb", (column) => column.notNull())
    .addColumn("taken_at", "timestamptz", (column) => column.notNull())
    .addPrimaryKeyConstraint("content_picks_key", ["content_id", "key"])
    .execute();
}

async function createMedia(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("media_store")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .execute();
  await sql`insert into manager.media_store (id) values (${randomUUID()})`.execute(db);
  await db.schema
    .createTable("media")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("user_id", "uuid", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("filename", "text", (column) => column.notNull())
    .addColumn("mime_type", "text", (column) => column.notNull())
    .addColumn("size_bytes", "bigint", (column) => column.notNull())
    .addColumn("duration_sec", "double precision")
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("media_of_user").on("media").columns(["user_id", "created_at desc", "id"]).execute();
  // Both cascade, for an owner who is removed takes all along; who deletes one medium looks first whether it is attached.
  await db.schema
    .createTable("variant_media")
    .addColumn("variant_id", "uuid", (column) => column.notNull().references("content_variants.id").onDelete("cascade"))
    .addColumn("media_id", "uuid", (column) => column.notNull().references("media.id").onDelete("cascade"))
    .addColumn("place", "integer", (column) => column.notNull())
    .addColumn("is_used", "boolean", (column) => column.notNull().defaultTo(false))
    .addPrimaryKeyConstraint("variant_media_key", ["variant_id", "media_id"])
    .execute();
  await db.schema.createIndex("variant_media_of_medium").on("variant_media").column("media_id").execute();
}

async function createTags(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("tags")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("user_id", "uuid", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .execute();
  // Those of nobody are one owner's, too.
  await sql`create unique index tags_key on manager.tags (user_id, key) nulls not distinct`.execute(db);
  await db.schema
    .createTable("content_tags")
    .addColumn("content_id", "uuid", (column) => column.notNull().references("contents.id").onDelete("cascade"))
    .addColumn("tag_id", "uuid", (column) => column.notNull().references("tags.id").onDelete("cascade"))
    .addPrimaryKeyConstraint("content_tags_key", ["content_id", "tag_id"])
    .execute();
  await db.schema.createIndex("content_tags_of_tag").on("content_tags").column("tag_id").execute();
}

/**
 * A content's variants with their media, and its tags, as JSON. Functions, for each connection keeps their plan: to plan the same
 * query anew takes three times as long as to answer it, and contents are read by the thousand a second.
 */
async function createDocuments(db: Kysely<unknown>): Promise<void> {
  await sql`create function manager.variant_document(v manager.content_variants) returns json language plpgsql stable parallel safe as $$
    begin return json_build_object(
      'id', v.id, 'content', v.content, 'media_usage_mode', v.media_usage_mode, 'weight', v.weight, 'order', v."order",
      'isUsed', v.is_used,
      'lastUsedAt', to_char(v.last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'media', coalesce((
        select json_agg(json_build_object('id', m.id, 'filename', m.filename, 'mime_type', m.mime_type,
            'size_bytes', m.size_bytes::text, 'duration_sec', m.duration_sec) order by vm.place)
          from manager.variant_media vm join manager.media m on m.id = vm.media_id where vm.variant_id = v.id), '[]'));
    end $$`.execute(db);
  await sql`create function manager.content_document(of_content uuid) returns json language plpgsql stable parallel safe as $$
    begin return json_build_object(
      'variants', coalesce((
        select json_agg(manager.variant_document(v) order by v."order", v.place)
          from manager.content_variants v where v.content_id = of_content), '[]'),
      'tags', coalesce((
        select json_agg(json_build_object('id', t.id, 'name', t.name) order by t.key, t.id)
          from manager.content_tags ct join manager.tags t on t.id = ct.tag_id where ct.content_id = of_content), '[]'));
    end $$`.execute(db);
}
