import { randomUUID } from "node:crypto";
import { sql, type Kysely, type Transaction } from "kysely";
import type { Given } from "../../contract/api-route.ts";
import type { contentRoutes } from "../../contract/content-api.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import { readDocuments, type Content, type MediaUrl } from "./documents.ts";
import { ownedBy } from "./owned.ts";
import { holding } from "../backlink/escape-like.ts";
import { dropUnusedTags, setTags, tagKey } from "./tags.ts";
import { replaceVariants } from "./variants.ts";

type Db = Kysely<ManagerTables>;
type NewContent = Given<typeof contentRoutes.createContent>["body"];
type ContentChanges = Given<typeof contentRoutes.changeContent>["body"];
type ContentQuery = Given<typeof contentRoutes.listContent>["query"];

/** The newest first. */
export async function listContents(
  db: Db,
  tenant: string | null,
  { page, limit, search, type, tag }: ContentQuery,
  mediaUrl: MediaUrl,
): Promise<{ data: Content[]; total: number }> {
  const tagged = sql`exists (select from manager.content_tags ct join manager.tags t on t.id = ct.tag_id
    where ct.content_id = contents.id and t.key = ${tagKey(tag)})`;
  const conditions = [
    ownedBy(tenant),
    ...(search ? [sql`title ilike ${holding(search)}`] : []),
    ...(type ? [sql`type = ${type}`] : []),
    ...(tag ? [tagged] : []),
  ];
  const found = sql`from manager.contents where ${sql.join(conditions, sql` and `)}`;
  const counted = await sql<{ total: number }>`select count(*) as total ${found}`.execute(db);
  const newest = sql`order by created_at desc, id`;
  // Below, so that documents are put together for this page only.
  const paged = sql`(select * ${found} ${newest} limit ${limit} offset ${(page - 1) * limit}) one_page ${newest}`;
  return { data: await readDocuments(db, paged, mediaUrl), total: counted.rows[0]?.total ?? 0 };
}

/** @returns its id. @throws ApiError unprocessable naming media that there are not */
export async function createContent(db: Db, tenant: string | null, body: NewContent, now: Date): Promise<string> {
  const { variants, tags, ...fields } = body;
  const owner = { tenant, contentId: randomUUID() };
  await db.transaction().execute(async (trx) => {
    const row = { ...fields, id: owner.contentId, user_id: tenant, created_at: now, updated_at: now };
    await trx.insertInto("contents").values(row).execute();
    await replaceVariants(trx, owner, variants);
    await setTags(trx, owner, tags);
  });
  return owner.contentId;
}

/** Changes what is given. @throws ApiError not_found; unprocessable naming media that there are not */
export async function changeContent(db: Db, tenant: string | null, id: string, changes: ContentChanges, now: Date): Promise<void> {
  const { variants, tags, ...fields } = changes;
  const owner = { tenant, contentId: id };
  await db.transaction().execute(async (trx) => {
    await lockContent(trx, tenant, id);
    if (Object.keys(changes).length === 0) return;
    await trx
      .updateTable("contents")
      .set({ ...fields, updated_at: now })
      .where("id", "=", id)
      .execute();
    if (variants) await replaceVariants(trx, owner, variants);
    if (tags) await setTags(trx, owner, tags);
  });
}

/** @throws ApiError not_found */
export async function removeContent(trx: Transaction<ManagerTables>, tenant: string | null, id: string): Promise<void> {
  await lockContent(trx, tenant, id);
  await trx.deleteFrom("contents").where("id", "=", id).execute();
  await dropUnusedTags(trx, tenant);
}

/** Whoever changes a content, or takes of it, does so alone. @throws ApiError not_found */
export async function lockContent(trx: Transaction<ManagerTables>, tenant: string | null, id: string) {
  const row = await trx
    .selectFrom("contents")
    .select(["title", "variant_usage_mode", "status"])
    .where("id", "=", id)
    .where(ownedBy(tenant))
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new ApiError("not_found");
  return row;
}
