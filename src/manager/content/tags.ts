import { randomUUID } from "node:crypto";
import { sql, type Kysely, type Transaction } from "kysely";
import type { ManagerTables } from "../tables.ts";
import { ownedBy } from "./owned.ts";
import { holding } from "../backlink/escape-like.ts";
import type { OwnedContent } from "./variants.ts";

type Trx = Transaction<ManagerTables>;

/** What makes two names one tag. Here and not in SQL, where it would depend on the database's locale. */
export function tagKey(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** Gives the content these tags and no others. Unknown ones are made; those that no content has any more are no more. */
export async function setTags(trx: Trx, { tenant, contentId }: OwnedContent, names: readonly string[]): Promise<void> {
  await lockTags(trx, tenant);
  await trx.deleteFrom("content_tags").where("content_id", "=", contentId).execute();
  if (names.length > 0) {
    // The first spelling is the one that stays.
    const byKey = new Map(names.toReversed().map((name) => [tagKey(name), name]));
    await trx
      .insertInto("tags")
      .values([...byKey].map(([key, name]) => ({ id: randomUUID(), user_id: tenant, name, key })))
      .onConflict((conflict) => conflict.columns(["user_id", "key"]).doNothing())
      .execute();
    await trx
      .insertInto("content_tags")
      .columns(["content_id", "tag_id"])
      .expression((eb) =>
        eb
          .selectFrom("tags")
          .select([sql<string>`${contentId}::uuid`.as("content_id"), "id as tag_id"])
          .where(ownedBy(tenant))
          .where("key", "in", [...byKey.keys()]),
      )
      .execute();
  }
  await dropUnlisted(trx, tenant);
}

export async function dropUnusedTags(trx: Trx, tenant: string | null): Promise<void> {
  await lockTags(trx, tenant);
  await dropUnlisted(trx, tenant);
}

async function dropUnlisted(trx: Trx, tenant: string | null): Promise<void> {
  await trx
    .deleteFrom("tags")
    .where(ownedBy(tenant))
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("content_tags").select("tag_id").whereRef("content_tags.tag_id", "=", "tags.id"))),
    )
    .execute();
}

/** One transaction at a time deals with an owner's tags: what one just gave to a content another must not find unused. */
async function lockTags(trx: Trx, tenant: string | null): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('podcrew tags'), hashtext(${tenant ?? ""}))`.execute(trx);
}

/** By name. */
export async function listTags(
  db: Kysely<ManagerTables>,
  tenant: string | null,
  { page, limit, search }: { page: number; limit: number; search: string },
): Promise<{ data: { id: string; name: string; contents: number }[]; total: number }> {
  const found = db
    .selectFrom("tags")
    .where(ownedBy(tenant))
    .$if(search !== "", (query) => query.where("name", "ilike", holding(search)));
  const { total } = await found.select((eb) => eb.fn.countAll<number>().as("total")).executeTakeFirstOrThrow();
  const data = await found
    .select(["id", "name", sql<number>`(select count(*) from manager.content_tags where content_tags.tag_id = tags.id)`.as("contents")])
    .orderBy("key")
    .orderBy("id")
    .limit(limit)
    .offset((page - 1) * limit)
    .execute();
  return { data, total };
}
