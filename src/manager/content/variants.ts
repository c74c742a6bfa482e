import { randomUUID } from "node:crypto";
import type { Transaction } from "kysely";
import type { Given } from "../../contract/api-route.ts";
import type { contentRoutes } from "../../contract/content-api.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import { ownedBy } from "./owned.ts";

type Trx = Transaction<ManagerTables>;
type NewVariant = Given<typeof contentRoutes.createContent>["body"]["variants"][number];

export interface OwnedContent {
  tenant: string | null;
  contentId: string;
}

/** A statement takes 65,535 values at most. */
const ROWS_A_STATEMENT = 10_000;

/**
 * Makes these the content's variants. One whose text was there before stays the one that it was: its id, and whether it and its
 * media are used. A medium that is named twice is attached once.
 * @throws ApiError unprocessable naming media that there are not
 */
export async function replaceVariants(trx: Trx, { tenant, contentId }: OwnedContent, variants: readonly NewVariant[]): Promise<void> {
  const media = variants.map(({ mediaIds }) => [...new Set(mediaIds.map((id) => id.toLowerCase()))]);
  await holdMedia(trx, tenant, [...new Set(media.flat())]);
  const marks = await usedMedia(trx, contentId);
  const ids = await idsByText(trx, contentId);
  const rows = variants.map(({ content, media_usage_mode, weight, order }, place) => {
    const id = ids.get(content)?.shift() ?? randomUUID();
    return { id, content_id: contentId, content, media_usage_mode, weight, order: order ?? place, place, last_used_at: null };
  });
  const leftOver = [...ids.values()].flat();
  if (leftOver.length > 0) await trx.deleteFrom("content_variants").where("id", "in", leftOver).execute();
  await trx
    .insertInto("content_variants")
    .values(rows)
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet(({ ref }) => ({
        media_usage_mode: ref("excluded.media_usage_mode"),
        weight: ref("excluded.weight"),
        order: ref("excluded.order"),
        place: ref("excluded.place"),
      })),
    )
    .execute();
  const attached = rows.flatMap(({ id }, index) =>
    (media[index] ?? []).map((mediumId, place) => ({
      variant_id: id,
      media_id: mediumId,
      place,
      is_used: marks.has(`${id} ${mediumId}`),
    })),
  );
  await trx
    .deleteFrom("variant_media")
    .where("variant_id", "in", (eb) => eb.selectFrom("content_variants").select("id").where("content_id", "=", contentId))
    .execute();
  for (let from = 0; from < attached.length; from += ROWS_A_STATEMENT)
    await trx
      .insertInto("variant_media")
      .values(attached.slice(from, from + ROWS_A_STATEMENT))
      .execute();
}

/** Keeps the owner's media from being deleted until the end of the transaction. @throws ApiError unprocessable */
async function holdMedia(trx: Trx, tenant: string | null, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const there = await trx.selectFrom("media").select("id").where("id", "in", ids).where(ownedBy(tenant)).forKeyShare().execute();
  const known = new Set(there.map(({ id }) => id));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw new ApiError("unprocessable", `mediaIds: there is no medium ${unknown.slice(0, 5).join(", ")}`);
}

async function idsByText(trx: Trx, contentId: string): Promise<Map<string, string[]>> {
  const rows = await trx
    .selectFrom("content_variants")
    .select(["id", "content"])
    .where("content_id", "=", contentId)
    .orderBy("place")
    .execute();
  const ids = new Map<string, string[]>();
  for (const { id, content } of rows) ids.set(content, [...(ids.get(content) ?? []), id]);
  return ids;
}

/** "variant's id medium's id" */
async function usedMedia(trx: Trx, contentId: string): Promise<Set<string>> {
  const rows = await trx
    .selectFrom("variant_media as vm")
    .innerJoin("content_variants as v", "v.id", "vm.variant_id")
    .select(["vm.variant_id", "vm.media_id"])
    .where("v.content_id", "=", contentId)
    .where("vm.is_used", "=", true)
    .execute();
  return new Set(rows.map(({ variant_id, media_id }) => `${variant_id} ${media_id}`));
}
