import { createHash } from "node:crypto";
import { sql } from "kysely";
import { buildFeed } from "../media/feed.ts";
import type { FeedShow } from "../media/feed-model.ts";
import type { StudioContext } from "./context.ts";
import { feedEpisode, feedShow, feedUrl } from "./feed.ts";
import { FeedFolder } from "./feed-folder.ts";
import { pageUrl, pagingOf, planPages, readPage, shownUntil, type FeedTables, type Plan, type PlannedPage } from "./feed-pages.ts";
import { lockProduction } from "./lock.ts";
import { Refused } from "./refused.ts";
import type { ShowsTable, StudioDb } from "./schema.ts";

/** Goes up when the same rows make other bytes, so that feeds of earlier versions are built anew. */
const FORMAT = 1;
/** So often somebody else may be faster before a build gives up. */
const MAX_TRIES = 5;

export interface BuiltFeed {
  /** The show's. */
  guid: string;
  /** Address of the feed, absolute. */
  feed: string;
  /** Documents of the feed: the current one and its archives. */
  pages: number;
  /** How many of them are other than before. */
  written: number;
  at: Date;
}

/** A feed is built anew by another version, and for another address. */
export function madeFor({ publicUrl, version }: Pick<StudioContext, "publicUrl" | "version">): string {
  return `${FORMAT} ${version} ${publicUrl}`;
}

/**
 * One build, in three steps: what is to be, all of one moment, and the documents that are other than before; these on disk, aside;
 * then the switch, in one transaction.
 * @param reason for the list of builds; null: a reader's, which is in no list
 * @throws Refused 404 when there is no such show
 */
export async function buildOnce(context: StudioContext, show: string, reason: string | null): Promise<BuiltFeed> {
  const folder = new FeedFolder(context, show);
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const draft = await draw(context, show, folder);
    for (const { sha, xml } of draft.pages) if (xml !== null) await folder.write(sha, xml);
    const built = await switchTo(context, draft, reason);
    if (!built) continue;
    await folder.sweep(new Set(draft.pages.map(({ sha }) => sha)));
    return built;
  }
  throw new Error(`the feed of ${show} could not be built: ${MAX_TRIES} times another process was faster`);
}

interface DrawnPage {
  page: number;
  fingerprint: string;
  sha: string;
  bytes: number;
  /** null: it is there as it should be. */
  xml: string | null;
}

interface Draft {
  show: ShowsTable;
  /** Of the feed as it was found; 0: there was none. */
  version: number;
  changes: number[];
  leftOut: number;
  told: string | null;
  pages: DrawnPage[];
}

/** All of one moment: an episode that moves from one page to another is in exactly one of them. */
async function draw(context: StudioContext, guid: string, folder: FeedFolder): Promise<Draft> {
  const until = shownUntil(context);
  return context.db
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (trx) => {
      const db = trx.withTables<FeedTables>();
      const found = await trx
        .selectFrom("shows")
        .leftJoin("assets", "assets.guid", "shows.cover")
        .selectAll("shows")
        .select("assets.path as coverPath")
        .where("shows.guid", "=", guid)
        .executeTakeFirst();
      if (!found) throw new Refused(404, "noShow");
      const { coverPath, ...show } = found;
      const feed = await db.selectFrom("feeds").selectAll().where("show", "=", guid).executeTakeFirst();
      const changes = await db.selectFrom("feed_changes").select("id").where("show", "=", guid).execute();
      const stored = await db.selectFrom("feed_pages").selectAll().where("show", "=", guid).execute();
      const plan = await planPages(trx, guid, until);
      const described = feedShow(context, show, coverPath ?? "", feed?.podcast_guid);
      const pages: DrawnPage[] = [];
      for (const planned of plan.pages) {
        const fingerprint = fingerprintOf(context, show, described, plan, planned);
        const before = stored.find(({ page }) => page === planned.page);
        if (before?.fingerprint === fingerprint && (await folder.has(before.sha))) {
          pages.push({ page: planned.page, fingerprint, sha: before.sha, bytes: before.bytes, xml: null });
        } else {
          pages.push({ page: planned.page, fingerprint, ...(await render(context, trx, show, described, plan, planned)) });
        }
      }
      // An address of this machine alone is none to remember a show by.
      const told = feed?.podcast_guid ?? (context.config.publicUrl ? (described.podcastGuid ?? null) : null);
      return { show, version: feed?.version ?? 0, changes: changes.map(({ id }) => id), leftOut: plan.leftOut, told, pages };
    });
}

function archivesOf({ pages }: Plan): number {
  return pages.length - 1;
}

/** Says all that a document is made of. */
function fingerprintOf(context: StudioContext, show: ShowsTable, described: FeedShow, plan: Plan, { page, mark }: PlannedPage): string {
  const paging = pagingOf(context, show, page, archivesOf(plan));
  return sha256(JSON.stringify([madeFor(context), described, paging, mark]));
}

async function render(context: StudioContext, trx: StudioDb, show: ShowsTable, described: FeedShow, plan: Plan, planned: PlannedPage) {
  const rows = await readPage(trx, show.guid, planned);
  const paging = pagingOf(context, show, planned.page, archivesOf(plan));
  const xml = buildFeed({
    show: described,
    episodes: rows.map((row) => feedEpisode(context, show, row)),
    feedUrl: pageUrl(context, show, planned.page),
    generator: `Podcrew Studio ${context.version}`,
    ...(paging && { paging }),
  });
  return { sha: sha256(xml), bytes: Buffer.byteLength(xml), xml };
}

/** @returns null when somebody else has built meanwhile, perhaps of newer rows */
async function switchTo(context: StudioContext, draft: Draft, reason: string | null): Promise<BuiltFeed | null> {
  const { show, version, changes, leftOut: left_out, told: podcast_guid, pages } = draft;
  const at = new Date(context.clock.now());
  const written = await context.db.transaction().execute(async (trx) => {
    await lockProduction(trx, show.parent);
    const db = trx.withTables<FeedTables>();
    const values = { version: version + 1, made_for: madeFor(context), left_out, podcast_guid };
    const mine = await db
      .insertInto("feeds")
      .values({ show: show.guid, ...values })
      .onConflict((conflict) => conflict.column("show").doUpdateSet(values).where("feeds.version", "=", version))
      .executeTakeFirst();
    if (!mine.numInsertedOrUpdatedRows) return null;
    if (changes.length > 0) await sql`delete from studio.feed_changes where id = any(${changes}::bigint[])`.execute(trx);
    const count = await writePages(trx, show.guid, pages, at);
    if (reason !== null || count > 0) {
      await trx.updateTable("productions").set({ build_at: at }).where("guid", "=", show.parent).execute();
    }
    if (reason !== null) await trx.insertInto("builds").values({ production: show.parent, at, reason }).execute();
    return count;
  });
  return written === null ? null : { guid: show.guid, feed: feedUrl(context, show), pages: pages.length, written, at };
}

/** @returns how many are other than before */
async function writePages(trx: StudioDb, show: string, pages: readonly DrawnPage[], at: Date): Promise<number> {
  const db = trx.withTables<FeedTables>();
  await db
    .deleteFrom("feed_pages")
    .where("show", "=", show)
    .where(
      "page",
      "not in",
      pages.map(({ page }) => page),
    )
    .execute();
  let changed = 0;
  for (const { page, fingerprint, sha, bytes, xml } of pages) {
    if (xml === null) continue;
    const done = await db
      .insertInto("feed_pages")
      .values({ show, page, fingerprint, sha, bytes, changed_at: at })
      .onConflict((conflict) =>
        conflict.columns(["show", "page"]).doUpdateSet((eb) => ({
          fingerprint,
          sha,
          bytes,
          // Dates in answers know whole seconds: two documents must not share one.
          changed_at: eb
            .case()
            .when("feed_pages.sha", "=", sha)
            .then(eb.ref("feed_pages.changed_at"))
            .else(sql<Date>`greatest(${at}, feed_pages.changed_at + interval '1 second')`)
            .end(),
        })),
      )
      .returning(sql<boolean>`changed_at >= ${at}`.as("fresh"))
      .executeTakeFirstOrThrow();
    if (done.fresh) changed++;
  }
  return changed;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
