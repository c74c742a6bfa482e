import type { Transaction } from "kysely";
import type { UsageMode } from "../../contract/content-api.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import { lockContent } from "./contents.ts";
import { readVariant, type StoredMedium, type StoredVariant } from "./documents.ts";
import { pick } from "./pick.ts";

type Trx = Transaction<ManagerTables>;

/** What was taken, as it was at that moment; stored as it is. */
export interface Taken {
  /** Of the content. */
  title: string;
  variant: StoredVariant;
  /** The one of the variant's media that is meant; null where it has none. */
  medium: StoredMedium | null;
}

/** What a pick needs besides the rows. */
export interface TakeParts {
  now: () => number;
  /** From 0 to below 1. */
  random: () => number;
}

/**
 * Picks a variant and one of its media by their modes and marks both used. The same key gets the same answer for ever, whatever
 * has become of the variant.
 * @throws ApiError not_found; conflict when the content is inactive and the key is new
 */
export async function take(
  trx: Trx,
  tenant: string | null,
  { contentId, key }: { contentId: string; key: string },
  { now, random }: TakeParts,
): Promise<Taken> {
  const { title, variant_usage_mode, status } = await lockContent(trx, tenant, contentId);
  const before = await trx
    .selectFrom("content_picks")
    .select("pick")
    .where("content_id", "=", contentId)
    .where("key", "=", key)
    .executeTakeFirst();
  if (before) return before.pick as Taken;
  if (status === "inactive") throw new ApiError("conflict", "the content is inactive");
  const at = new Date(now());
  const { id, media_usage_mode } = await takeVariant(trx, { contentId, mode: variant_usage_mode }, random, at);
  const mediumId = await takeMedium(trx, { variantId: id, mode: media_usage_mode }, random);
  const variant = await readVariant(trx, id);
  if (!variant) throw new Error(`the variant ${id} is gone within its own transaction`);
  const taken: Taken = { title, variant, medium: variant.media.find((one) => one.id === mediumId) ?? null };
  await trx
    .insertInto("content_picks")
    .values({ content_id: contentId, key, pick: JSON.stringify(taken), taken_at: at })
    .execute();
  return taken;
}

async function takeVariant(
  trx: Trx,
  { contentId, mode }: { contentId: string; mode: UsageMode },
  random: () => number,
  at: Date,
): Promise<{ id: string; media_usage_mode: UsageMode }> {
  const variants = await trx
    .selectFrom("content_variants")
    .select(["id", "media_usage_mode", "weight", "is_used as isUsed"])
    .where("content_id", "=", contentId)
    .orderBy("order")
    .orderBy("place")
    .execute();
  const picked = pick(variants, mode, random);
  const chosen = picked && variants[picked.index];
  if (!chosen) throw new Error(`the content ${contentId} has no variant`);
  if (picked.startsRound) await trx.updateTable("content_variants").set({ is_used: false }).where("content_id", "=", contentId).execute();
  await trx.updateTable("content_variants").set({ is_used: true, last_used_at: at }).where("id", "=", chosen.id).execute();
  return chosen;
}

/** Weights are the variants' alone: weighted media are as likely as each other. */
async function takeMedium(
  trx: Trx,
  { variantId, mode }: { variantId: string; mode: UsageMode },
  random: () => number,
): Promise<string | null> {
  const media = await trx
    .selectFrom("variant_media")
    .select(["media_id", "is_used as isUsed"])
    .where("variant_id", "=", variantId)
    .orderBy("place")
    .execute();
  const picked = pick(
    media.map(({ isUsed }) => ({ isUsed, weight: 1 })),
    mode,
    random,
  );
  const chosen = picked && media[picked.index];
  if (!chosen) return null;
  if (picked.startsRound) await trx.updateTable("variant_media").set({ is_used: false }).where("variant_id", "=", variantId).execute();
  await trx
    .updateTable("variant_media")
    .set({ is_used: true })
    .where("variant_id", "=", variantId)
    .where("media_id", "=", chosen.media_id)
    .execute();
  return chosen.media_id;
}
