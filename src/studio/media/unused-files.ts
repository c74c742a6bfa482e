import type { StudioContext } from "../context.ts";
import type { StudioDb } from "../schema.ts";
import { contentOf } from "./keep.ts";
import { lockMedia } from "./lock.ts";
import { stemOf } from "./names.ts";
import { beginRemoval, endRemoval } from "./removals.ts";
import type { MediaFile } from "./store.ts";

/** Copies of a feed live on in apps and caches for some days. */
const UNUSED_FOR_MS = 7 * 24 * 60 * 60_000;

/**
 * Writes down which of these contents nobody points to, and forgets it of those that somebody points to again.
 * @returns those that nobody has pointed to for long enough
 */
export async function markUnused({ db, clock }: StudioContext, contents: readonly string[]): Promise<Set<string>> {
  const now = clock.now();
  const pointedTo = await pointedToOf(db, contents);
  const unused = [...new Set(contents)].filter((content) => !pointedTo.has(content));
  if (pointedTo.size > 0)
    await db
      .deleteFrom("media_unused")
      .where("content", "in", [...pointedTo])
      .execute();
  if (unused.length === 0) return new Set();
  const rows = unused.map((content) => ({ content, since: new Date(now) }));
  await db
    .insertInto("media_unused")
    .values(rows)
    .onConflict((conflict) => conflict.column("content").doNothing())
    .execute();
  const ripe = await db
    .selectFrom("media_unused")
    .select("content")
    .where("content", "in", unused)
    .where("since", "<=", new Date(now - UNUSED_FOR_MS))
    .execute();
  return new Set(ripe.map(({ content }) => content));
}

/**
 * Takes a file away unless somebody points to it, or put it anew since `youngFrom` (epoch, ms). No lock is held while the store is
 * asked: who makes a row for it meanwhile sees that it goes, and puts it again.
 */
export async function removeIfNobodys({ db, media }: StudioContext, { name }: MediaFile, youngFrom: number): Promise<boolean> {
  const removal = await db.transaction().execute(async (trx) => {
    await lockMedia(trx, "alone");
    return (await pointedToOf(trx, [stemOf(name)])).size > 0 ? null : beginRemoval(trx, stemOf(name));
  });
  if (!removal) return false;
  try {
    const now = await media.head(name);
    if (!now || now.changedAt.getTime() > youngFrom) return false;
    await media.remove(name);
    return true;
  } finally {
    await endRemoval(db, removal);
  }
}

async function pointedToOf(db: StudioDb, contents: readonly string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom("assets")
    .select(contentOf.as("content"))
    .where((eb) => eb(contentOf, "in", contents))
    .execute();
  return new Set(rows.map(({ content }) => content));
}
