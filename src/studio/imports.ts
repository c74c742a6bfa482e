import { randomInt } from "node:crypto";
import { sql } from "kysely";
import { Failure } from "../contract/failures.ts";
import { readFeed, type ReadFeed } from "../media/read-feed.ts";
import type { StudioContext } from "./context.ts";
import { newGuid, slugify } from "./ids.ts";
import { hashPassword, verifyPassword } from "../kit/passwords.ts";
import { Refused } from "./refused.ts";
import { cleanAbout } from "./rich-text.ts";
import type { AccountsTable, ImportHistoryTable, ImportsTable, StudioDb } from "./schema.ts";

import { categories, drawCover, insertShow, TITLE_MAX_CHARACTERS } from "./shows.ts";
import { texts } from "./texts.ts";

type Account = Pick<AccountsTable, "id" | "email" | "locale">;

const FETCH_MS = 20_000;
const CODE_LIFE_MS = 10 * 60_000;
const CODE_TRIES = 5;
/** Anybody can type any feed's address: its owner's mailbox must not suffer for that. */
const MAILS_AN_HOUR = 10;
const HOUR_MS = 3_600_000;
const KEPT_MS = 24 * HOUR_MS;
const MAX_EPISODES = 500;
const MIN_NAME = 8;

/** A show that was taken over. */
export interface Imported {
  guid: string;
  feed: string;
  title: string;
  /** Its public page, absolute. */
  link: string;
}

/** How far an import is, for its page. */
export interface ImportState extends ImportsTable {
  episodes: { title: string; state: string }[];
  /** "" until it is done. */
  link: string;
}

/** Taking over a show by its feed: the feed's owner is asked by mail, then it is confirmed once. */
export interface Imports {
  /**
   * Fetches the feed and mails a code to its owner. One that the same account has verified and not confirmed goes on.
   * @returns the import's guid. @throws Refused with the rule that the feed breaks
   */
  begin(account: Account, feedUrl: string): Promise<string>;
  /** @throws Refused 422 for a wrong or old code; 5 tries */
  verify(account: Account, guid: string, code: string): Promise<void>;
  /** Makes the show. Asked again for the same import, it answers the same. @throws Refused */
  confirm(account: Account, guid: string): Promise<Imported>;
  /** @throws Refused 404 */
  get(account: Account, guid: string): Promise<ImportState>;
  /** What the account has imported, newest first. */
  list(account: Account): Promise<Imported[]>;
}

export function openImports(context: StudioContext): Imports {
  const { db, clock } = context;
  const now = (): Date => new Date(clock.now());
  const linkOf = (name: string | null): string => (name === null ? "" : `${context.publicUrl}/s/${name}`);
  const rows = (account: Account) =>
    db
      .selectFrom("imports")
      .leftJoin("shows", "shows.guid", "imports.show_guid")
      .selectAll("imports")
      .select("shows.name as show_name")
      .where("imports.account_id", "=", account.id);

  return {
    async begin(account, typed) {
      const feedUrl = readAddress(typed);
      await db
        .deleteFrom("imports")
        .where("state", "!=", "done")
        .where("created_at", "<", new Date(clock.now() - KEPT_MS))
        .execute();
      const open = await rows(account)
        .where("feed_url", "=", feedUrl)
        .where("state", "=", "verified")
        .where("expires_at", ">", now())
        .executeTakeFirst();
      if (open) return open.guid;
      const feed = await fetchFeed(context, feedUrl);
      if (feed.locked) throw new Refused(422, "importLocked");
      if (!feed.ownerEmail) throw new Refused(422, "importNoOwner");
      return insertAndMail(context, account, feedUrl, feed);
    },

    async verify(account, guid, code) {
      // The try is counted before the code is looked at: many at once get no more than five.
      const row = await db
        .updateTable("imports")
        .set({ tries: sql<number>`tries + 1` })
        .where("guid", "=", guid)
        .where("account_id", "=", account.id)
        .where("state", "=", "asked")
        .where("tries", "<", CODE_TRIES)
        .where("expires_at", ">", now())
        .returning("code_hash")
        .executeTakeFirst();
      if (!row || !/^\d{6}$/.test(code) || !(await verifyPassword(code, row.code_hash))) throw new Refused(422, "importCodeWrong");
      await db
        .updateTable("imports")
        .set({ state: "verified", expires_at: new Date(clock.now() + HOUR_MS) })
        .where("guid", "=", guid)
        .where("state", "=", "asked")
        .execute();
    },

    confirm: async (account, guid) => confirm(context, account, guid),

    async get(account, guid) {
      const row = await rows(account).where("imports.guid", "=", guid).executeTakeFirst();
      if (!row) throw new Refused(404, "importGone");
      const episodes = await db
        .selectFrom("import_episodes")
        .select(["title", "state"])
        .where("import_guid", "=", guid)
        .orderBy("id")
        .execute();
      return { ...row, episodes, link: linkOf(row.show_name) };
    },

    async list(account) {
      const done = await rows(account)
        .where("state", "=", "done")
        .where("show_guid", "is not", null)
        .orderBy("imports.created_at", "desc")
        .execute();
      return done.map(({ guid, feed_url, title, show_name }) => ({ guid, feed: feed_url, title, link: linkOf(show_name) }));
    },
  };
}

/** @throws Refused */
function readAddress(typed: string): string {
  const url = URL.parse(typed.trim());
  if (!url || !/^https?:$/.test(url.protocol)) throw new Refused(422, "importAddress");
  url.hash = "";
  return url.href;
}

/** @throws Refused */
async function fetchFeed(context: StudioContext, url: string): Promise<ReadFeed> {
  try {
    const signal = AbortSignal.timeout(2 * FETCH_MS);
    return await readFeed(url, { policy: context.policy, deadlineMs: FETCH_MS, signal, folder: context.uploadDir });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    context.log.info(`a feed could not be read: ${error.message}`);
    throw new Refused(422, error.code === "content.feed" ? "importNoFeed" : "importUnreachable");
  }
}

/** Within the transaction that keeps the mail, and behind the account's other ones: many at once get no more. @throws Refused */
async function limitMails(trx: StudioDb, now: Date, account: Account): Promise<void> {
  await trx.selectFrom("accounts").select("id").where("id", "=", account.id).forUpdate().executeTakeFirst();
  const { mails } = await trx
    .selectFrom("imports")
    .select((eb) => eb.fn.countAll<number>().as("mails"))
    .where("account_id", "=", account.id)
    .where("mailed_at", ">", new Date(now.getTime() - HOUR_MS))
    .executeTakeFirstOrThrow();
  if (Number(mails) >= MAILS_AN_HOUR) throw new Refused(429, "importTooMany");
}

/** @throws Refused when the mail could not be sent */
async function insertAndMail(context: StudioContext, account: Account, feedUrl: string, feed: ReadFeed): Promise<string> {
  const { db, clock, mailer, log } = context;
  const guid = newGuid();
  const code = String(randomInt(1_000_000)).padStart(6, "0");
  const codeHash = await hashPassword(code);
  const now = new Date(clock.now());
  const title = clip(feed.title, TITLE_MAX_CHARACTERS) || new URL(feedUrl).host;
  // The row comes first: a code that nobody can check must not be in a mailbox.
  await db.transaction().execute(async (trx) => {
    await limitMails(trx, now, account);
    await trx
      .insertInto("imports")
      .values({
        guid,
        account_id: account.id,
        feed_url: feedUrl,
        title,
        description: clip(feed.description, 4000),
        language: /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(feed.language) ? feed.language : "en",
        author: clip(feed.author, 200),
        owner_email: feed.ownerEmail,
        category: (categories as readonly string[]).includes(feed.category) ? feed.category : "Society & Culture",
        explicit: feed.explicit,
        state: "asked",
        code_hash: codeHash,
        tries: 0,
        mailed_at: now,
        expires_at: new Date(clock.now() + CODE_LIFE_MS),
        show_guid: null,
        podcast_guid: feed.podcastGuid || null,
        created_at: now,
      })
      .execute();
    const guids = new Set<string>();
    const episodes = feed.episodes.slice(0, MAX_EPISODES).map((episode) => ({
      import_guid: guid,
      // A guid that comes twice is the first one's: the other gets one of ours.
      guid: guids.size < guids.add(episode.guid).size ? episode.guid : null,
      title: clip(episode.title, TITLE_MAX_CHARACTERS) || title,
      about_html: cleanAbout(episode.html),
      audio_url: episode.audioUrl,
      published_at: episode.publishedAt ?? now,
      state: "offered" as const,
      tries: 0,
      not_before: null,
      problem: "",
    }));
    if (episodes.length > 0) await trx.insertInto("import_episodes").values(episodes).execute();
  });
  const t = texts[account.locale];
  const text = t.importMailText(title, code);
  try {
    if (!mailer) throw new Error("no mail server is configured");
    await mailer.send({ to: feed.ownerEmail, subject: t.importMailSubject(code), text, html: paragraphs(text) });
    return guid;
  } catch (error) {
    log.error("an ownership code could not be mailed", { account: account.email, error: (error as Error).message });
    await db.deleteFrom("imports").where("guid", "=", guid).execute();
    throw new Refused(502, "importMailFailed");
  }
}

function clip(text: string, characters: number): string {
  return [...text.replaceAll("\0", "").trim()].slice(0, characters).join("");
}

/** The title comes from a stranger's feed. */
function paragraphs(text: string): string {
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<p>${safe.trim().replaceAll("\n\n", "</p><p>")}</p>`;
}

/** The show, its line in the history and what is to be copied, in one transaction, on disk before it is answered. */
async function confirm(context: StudioContext, account: Account, guid: string): Promise<Imported> {
  const { db, clock, store, edges, log } = context;
  edges.onPublish("arrived");
  const draft = await db.selectFrom("imports").selectAll().where("guid", "=", guid).where("account_id", "=", account.id).executeTakeFirst();
  if (!draft) throw new Refused(404, "importGone");
  const showGuid = newGuid();
  const slug = slugify(draft.title).slice(0, 44 - MIN_NAME);
  const name = `${slug ? `${slug}-` : ""}${showGuid.slice(0, MIN_NAME)}`;
  const cover = await drawCover(context, showGuid, draft.title, name);
  const done = await db.transaction().execute(async (trx): Promise<Imported | Refused> => {
    const row = await trx.selectFrom("imports").selectAll().where("guid", "=", guid).forUpdate().executeTakeFirstOrThrow();
    const about = { account: account.email, feed_url: row.feed_url, import_guid: guid, title: row.title };
    const known =
      row.show_guid === null ? null : await trx.selectFrom("shows").select("name").where("guid", "=", row.show_guid).executeTakeFirst();
    if (known) {
      const link = `${context.publicUrl}/s/${known.name}`;
      await note(context, trx, { ...about, outcome: "repeat", link });
      return { guid, feed: row.feed_url, title: row.title, link };
    }
    const now = new Date(clock.now());
    if (row.state !== "verified" || row.expires_at <= now) {
      await note(context, trx, { ...about, outcome: "refused", reason: "importNotVerified" });
      return new Refused(409, "importNotVerified");
    }
    const { title, description, language, author, owner_email: ownerEmail, explicit } = row;
    const category = row.category as (typeof categories)[number];
    const fields = { title, description, language, author, ownerEmail, category, explicit, locked: false };
    await insertShow(trx, { ...fields, guid: showGuid, name, ownerId: account.id, importedFrom: row.feed_url }, cover, now);
    if (row.podcast_guid) await trx.updateTable("shows").set({ podcast_guid: row.podcast_guid }).where("guid", "=", showGuid).execute();
    await trx.updateTable("imports").set({ state: "done", show_guid: showGuid }).where("guid", "=", guid).execute();
    await trx.updateTable("import_episodes").set({ state: "waiting" }).where("import_guid", "=", guid).execute();
    const link = `${context.publicUrl}/s/${name}`;
    await note(context, trx, { ...about, outcome: "imported", link });
    return { guid, feed: row.feed_url, title, link };
  });
  await store.flush();
  edges.onPublish("handled");
  if (done instanceof Refused) throw done;
  log.info("a show was imported", { account: account.email, feed: done.feed, link: done.link });
  return done;
}

async function note(
  context: StudioContext,
  trx: StudioDb,
  row: Pick<ImportHistoryTable, "account" | "feed_url" | "import_guid" | "title" | "outcome"> &
    Partial<Pick<ImportHistoryTable, "link" | "reason">>,
): Promise<void> {
  await trx
    .insertInto("import_history")
    .values({ link: "", reason: "", ...row, at: new Date(context.clock.now()) })
    .execute();
}

/** A row of the append-only list of confirmed imports that the studio handled, oldest first. */
export interface ImportEntry {
  id: number;
  at: Date;
  account: string;
  feed: string;
  title: string;
  outcome: ImportHistoryTable["outcome"];
  /** The show's public page, "" when refused. */
  link: string;
  reason: string;
}

export async function readImportHistory(db: StudioDb): Promise<ImportEntry[]> {
  const rows = await db.selectFrom("import_history").selectAll().orderBy("id").execute();
  return rows.map(({ id, at, account, feed_url, title, outcome, link, reason }) => ({
    id,
    at,
    account,
    feed: feed_url,
    title,
    outcome,
    link,
    reason,
  }));
}
