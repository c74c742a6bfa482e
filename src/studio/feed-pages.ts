import { sql } from "kysely";
import type { FeedPaging } from "../media/feed-model.ts";
import type { StudioContext } from "./context.ts";
import type { EpisodesTable, ShowsTable, StudioDb } from "./schema.ts";

/** What a build leaves in the database. */
export type FeedTables = {
  /** version: counts the builds. made_for: address and version of the studio that built it. left_out: episodes that will show later by themselves. */
  feeds: { show: string; version: number; made_for: string; left_out: number; podcast_guid: string | null };
  /** page 0 is the current document, 1 the archive with the first episodes of all. */
  feed_pages: { show: string; page: number; fingerprint: string; sha: string; bytes: number; changed_at: Date };
  feed_changes: { id: number; show: string };
};

/** Episodes of an archive. The current document has at least as many, and less than twice as many. */
export const PAGE_EPISODES = 500;

/** One document of a feed, as it should be. */
export interface PlannedPage {
  /** 0: the current one. */
  page: number;
  /** GUID of the oldest one; "" where there is none. */
  first: string;
  episodes: number;
  /** Says all that the database has on these episodes. */
  mark: string;
}

export interface Plan {
  pages: PlannedPage[];
  /** Out, and not to be seen before their time. */
  leftOut: number;
}

/** An episode that is out, with its files. */
export interface FeedRow extends EpisodesTable {
  audioPath: string;
  audioMime: string;
  audioBytes: number;
  audioSeconds: number | null;
  coverPath: string | null;
}

/** What is out and can be heard, oldest first. */
function published(db: StudioDb, show: string) {
  return db
    .selectFrom("episodes as e")
    .innerJoin("assets as a", "a.guid", "e.audio")
    .leftJoin("assets as c", "c.guid", "e.cover")
    .where("e.parent", "=", show)
    .where("e.state", "=", "published")
    .where("e.published_at", "is not", null)
    .where("a.path", "<>", "")
    .where((eb) => eb.or([eb("a.seconds", "is not", null), eb("a.state", "=", "ready")]));
}

/**
 * Cuts a show's episodes into pages, by their place from the oldest on: one more changes the current document only.
 * @param until what came out later is left out
 */
export async function planPages(db: StudioDb, show: string, until: Date): Promise<Plan> {
  const all = published(db, show).select([
    "e.guid",
    sql<number>`(row_number() over (order by e.published_at, e.guid) - 1)::int`.as("n"),
    sql<number>`count(*) over ()::int`.as("total"),
    sql<string>`md5(e::text || a::text || coalesce(c::text, ''))`.as("mark"),
  ]);
  const rows = await db
    .with("out", () => all.where("e.published_at", "<=", until))
    .selectFrom("out")
    .select([
      sql<number>`least(n / ${sql.lit(PAGE_EPISODES)}, greatest(total / ${sql.lit(PAGE_EPISODES)} - 1, 0))`.as("chunk"),
      sql<number>`count(*)::int`.as("episodes"),
      sql<string>`(array_agg(guid order by n))[1]`.as("first"),
      sql<string>`md5(string_agg(mark, '' order by n))`.as("mark"),
    ])
    .groupBy("chunk")
    .orderBy("chunk")
    .execute();
  const leftOut = await countLeftOut(db, show, until);
  const pages = rows.map(({ chunk, ...page }) => ({ ...page, page: chunk === rows.length - 1 ? 0 : chunk + 1 }));
  return { pages: pages.length > 0 ? pages : [{ page: 0, first: "", episodes: 0, mark: "" }], leftOut };
}

/** What came out later is not in the feed as yet. */
export function shownUntil({ clock, edges }: Pick<StudioContext, "clock" | "edges">): Date {
  return new Date(clock.now() - edges.listingLagMs);
}

/** How many are out, and not to be seen as yet. */
export async function countLeftOut(db: StudioDb, show: string, until: Date): Promise<number> {
  const { leftOut } = await published(db, show)
    .where("e.published_at", ">", until)
    .select(sql<number>`count(*)::int`.as("leftOut"))
    .executeTakeFirstOrThrow();
  return leftOut;
}

export async function readPage(db: StudioDb, show: string, { first, episodes }: PlannedPage): Promise<FeedRow[]> {
  const rows = await published(db, show)
    .selectAll("e")
    .select(["a.path as audioPath", "a.mime as audioMime", "a.bytes as audioBytes", "a.seconds as audioSeconds", "c.path as coverPath"])
    .where(sql<boolean>`(e.published_at, e.guid) >= (select f.published_at, f.guid from studio.episodes f where f.guid = ${first})`)
    .orderBy("e.published_at")
    .orderBy("e.guid")
    .limit(episodes)
    .execute();
  return rows;
}

/** @param page 0: the current document. @returns its address, absolute */
export function pageUrl(context: Pick<StudioContext, "publicUrl">, show: Pick<ShowsTable, "name">, page: number): string {
  return `${context.publicUrl}/feeds/${show.name}${page === 0 ? "" : `/${page}`}.xml`;
}

/** @param archives how many the feed has. @returns undefined for a feed of one document */
export function pagingOf(
  context: Pick<StudioContext, "publicUrl">,
  show: Pick<ShowsTable, "name">,
  page: number,
  archives: number,
): FeedPaging | undefined {
  if (archives === 0) return undefined;
  const url = (of: number): string => pageUrl(context, show, of);
  const older = page === 0 ? archives : page - 1;
  return {
    archive: page > 0,
    current: url(0),
    older: older === 0 ? null : url(older),
    newer: page === 0 || page === archives ? null : url(page + 1),
    oldest: url(1),
  };
}
