import { sql } from "kysely";
import type { StudioContext } from "./context.ts";
import { buildOnce, madeFor, type BuiltFeed } from "./feed-build.ts";
import { FeedFolder } from "./feed-folder.ts";
import { countLeftOut, shownUntil, type FeedTables } from "./feed-pages.ts";
import type { ShowsTable, StudioDb } from "./schema.ts";

/** A document of a feed as the last build left it. */
export interface FeedDocument {
  xml: Buffer;
  /** Strong, quoted. */
  etag: string;
  changedAt: Date;
}

type Show = Pick<ShowsTable, "guid">;

/**
 * Changes of this transaction stay out of the feed until somebody calls `buildShow`. All others are in it for the next reader: the
 * database notes them (migration-006-feeds.ts), so that whoever publishes or edits need not know that there are feeds.
 */
export async function laterBuild(trx: StudioDb): Promise<void> {
  await sql`select set_config('podcrew.later_build', 'yes', true)`.execute(trx);
}

/** A file's row is gone, and the file will go: the next reader gets a feed that names it no more, whoever meant to build later. */
export async function noteLostFiles(trx: StudioDb, productions: readonly string[]): Promise<void> {
  await sql`insert into studio.feed_changes (show) select guid from studio.shows where parent = any(${[...productions]}::text[])`.execute(
    trx,
  );
}

/**
 * Brings a show's feed up to date: the documents that are other than before are written aside and renamed, then all of them change
 * at once, in one transaction. The same rows make the same bytes.
 * @param reason for the list of builds, e.g. "api"
 * @throws Refused 404 when there is no such show
 */
export async function buildShow(context: StudioContext, show: Show, reason: string): Promise<BuiltFeed> {
  return inTurn(context, show.guid, async () => buildOnce(context, show.guid, reason));
}

/**
 * A document of the feed, built anew first where something has changed.
 * @param page 0: the feed itself; 1 on: its archives, the oldest first
 * @returns null when the feed has no such page
 */
export async function readFeedPage(context: StudioContext, show: Show, page: number): Promise<FeedDocument | null> {
  if (!(await isCurrent(context, show))) await refresh(context, show);
  const found = await look(context, show, page);
  if (found !== "lost") return found;
  // Written on another machine, or taken away between the row and its reading: a build writes what is missing here.
  await inTurn(context, show.guid, async () => buildOnce(context, show.guid, null));
  const again = await look(context, show, page);
  if (again === "lost") throw new Error(`a document of the feed of ${show.guid} is gone as soon as it is written`);
  return again;
}

/** What is left of a show's feed once the show is deleted. */
export async function forgetFeed(context: StudioContext, show: string): Promise<void> {
  await tables(context).deleteFrom("feed_changes").where("show", "=", show).execute();
  await new FeedFolder(context, show).remove();
}

/** The guid that earlier builds told of the show; null: none did. */
export async function toldGuid(context: StudioContext, show: Show): Promise<string | null> {
  const row = await tables(context).selectFrom("feeds").select("podcast_guid").where("show", "=", show.guid).executeTakeFirst();
  return row?.podcast_guid ?? null;
}

async function look(context: StudioContext, show: Show, page: number): Promise<FeedDocument | "lost" | null> {
  const row = await tables(context)
    .selectFrom("feed_pages")
    .select(["sha", "changed_at"])
    .where("show", "=", show.guid)
    .where("page", "=", page)
    .executeTakeFirst();
  if (!row) return null;
  const xml = await new FeedFolder(context, show.guid).read(row.sha);
  return xml ? { xml, etag: `"${row.sha.slice(0, 32)}"`, changedAt: row.changed_at } : "lost";
}

/** Of many readers who come at the same time, one builds. */
async function refresh(context: StudioContext, show: Show): Promise<void> {
  await inTurn(context, show.guid, async () => {
    if (!(await isCurrent(context, show))) await buildOnce(context, show.guid, null);
  });
}

async function isCurrent(context: StudioContext, show: Show): Promise<boolean> {
  const row = await tables(context)
    .selectFrom("feeds")
    .select(["made_for", "left_out"])
    .select((eb) => eb.exists(eb.selectFrom("feed_changes").select("id").where("show", "=", show.guid)).as("changed"))
    .where("show", "=", show.guid)
    .executeTakeFirst();
  if (!row || row.changed || row.made_for !== madeFor(context)) return false;
  // As many as then are to show later: time has brought none out since.
  return row.left_out === 0 || row.left_out === (await countLeftOut(context.db, show.guid, shownUntil(context)));
}

function tables({ db }: StudioContext) {
  return db.withTables<FeedTables>();
}

const queues = new WeakMap<StudioContext, Map<string, Promise<unknown>>>();

/** Builds of one show follow each other. */
async function inTurn<T>(context: StudioContext, show: string, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(context) ?? new Map<string, Promise<unknown>>();
  queues.set(context, queue);
  const mine = (queue.get(show) ?? Promise.resolve()).then(work);
  const settled = mine.catch(() => undefined);
  queue.set(show, settled);
  try {
    return await mine;
  } finally {
    if (queue.get(show) === settled) queue.delete(show);
  }
}
