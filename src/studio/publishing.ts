import { sql, type Transaction } from "kysely";
import type { StudioContext } from "./context.ts";
import { insertDraft, type EpisodeFields } from "./episodes.ts";
import { slugify } from "./ids.ts";
import { lockProduction } from "./lock.ts";
import { Refused, type PlainText } from "./refused.ts";
import type { AssetState, EpisodesTable, HistoryTable, PublishOutcome, ShowsTable, StudioTables } from "./schema.ts";

export interface Published {
  guid: string;
  /** The episode's public page, absolute. */
  link: string;
}

type Candidate = Pick<EpisodesTable, "guid" | "title" | "slug" | "state" | "audio" | "publish_at"> & {
  audioFile: string | null;
  audioState: AssetState | null;
};

/** What keeps an episode from being published, in the order in which a person would mend it. */
const obstacles: readonly { text: PlainText; status: number; applies: (episode: Candidate) => boolean }[] = [
  { text: "titleMissing", status: 422, applies: ({ title }) => title === "" },
  { text: "audioMissing", status: 422, applies: ({ audio }) => audio === null },
  { text: "audioBroken", status: 422, applies: ({ audioState }) => audioState === "refused" },
  { text: "audioNotReady", status: 409, applies: ({ audioState }) => audioState !== "ready" },
];

export function publicLink(context: StudioContext, show: Pick<ShowsTable, "name">, episode: Pick<EpisodesTable, "guid" | "slug">): string {
  return `${context.publicUrl}/e/${show.name}/${episode.slug ?? episode.guid}`;
}

interface PublishOptions {
  obstacle?: PlainText;
  /** Only one that is scheduled and due; it appears under the time that it was given. */
  onlyScheduled?: boolean;
}
type Outcome = { done: Published; refusal?: never } | { refusal: Refused };

/**
 * Publishes once however often it is asked: a repeat gets the same answer. Every request that reaches this point leaves
 * its row in the history, in the same transaction as what it did, and on disk before it is answered.
 * @param by the account's e-mail
 * @throws Refused when it can't be published; that is in the history, too
 */
export async function publish(
  context: StudioContext,
  show: ShowsTable,
  guid: string,
  by: string,
  options: PublishOptions = {},
): Promise<Published> {
  return handle(context, show, async (trx) => publishIn(context, trx, { show, guid, by }, options));
}

/**
 * Makes an episode and publishes it, all at once: asked twice, there are two. An edge, for studios without drafts.
 * @throws Refused as `publish` does, or when a field breaks a rule; then there is no episode, only a row in the history
 */
export async function publishNew(
  context: StudioContext,
  show: ShowsTable,
  fields: EpisodeFields,
  by: string,
  options: PublishOptions = {},
): Promise<Published> {
  return handle(context, show, async (trx): Promise<Outcome> => {
    const made = await insertDraft(context, trx, show, fields).catch((error: unknown) => {
      if (error instanceof Refused) return error;
      throw error;
    });
    if (made instanceof Refused) {
      await note(context, trx, show, { episode: "", account: by, title: fields.title, outcome: "refused", reason: made.text });
      return { refusal: made };
    }
    const result = await publishIn(context, trx, { show, guid: made, by }, options);
    if (result.refusal) await trx.deleteFrom("episodes").where("guid", "=", made).execute();
    return result;
  });
}

/** One publish request from its arrival to its answer. */
async function handle(
  context: StudioContext,
  show: ShowsTable,
  work: (trx: Transaction<StudioTables>) => Promise<Outcome>,
): Promise<Published> {
  context.edges.onPublish("arrived");
  const result = await context.db.transaction().execute(async (trx) => {
    await lockProduction(trx, show.parent);
    return work(trx);
  });
  await context.store.flush();
  context.edges.onPublish("handled");
  if (result.refusal) throw result.refusal;
  context.log.info("an episode is out", { show: show.name, episode: result.done.guid, link: result.done.link });
  return result.done;
}

async function publishIn(
  context: StudioContext,
  trx: Transaction<StudioTables>,
  { show, guid, by }: { show: ShowsTable; guid: string; by: string },
  options: PublishOptions,
): Promise<Outcome> {
  const episode = await findForUpdate(trx, show, guid);
  if (!episode) return { refusal: new Refused(404, "noEpisode") };
  // The scheduler was late or had a rival: somebody changed their mind meanwhile.
  const now = new Date(context.clock.now());
  const at = options.onlyScheduled ? (episode.publish_at ?? now) : now;
  if (options.onlyScheduled && (episode.state !== "scheduled" || at > now)) return { refusal: new Refused(409, "notScheduled") };
  const about = { episode: guid, account: by, title: episode.title, audio_file: episode.audioFile ?? "" };
  if (episode.state === "published" && !options.obstacle) {
    const link = publicLink(context, show, episode);
    await note(context, trx, show, { ...about, outcome: "repeat", link });
    return { done: { guid, link } };
  }
  const obstacle = options.obstacle ? { text: options.obstacle, status: 403 } : obstacles.find(({ applies }) => applies(episode));
  if (obstacle) {
    await note(context, trx, show, { ...about, outcome: "refused", reason: obstacle.text });
    return { refusal: new Refused(obstacle.status, obstacle.text) };
  }
  const slug = slugOf(episode);
  const link = publicLink(context, show, { guid, slug });
  await markPublished(trx, show, guid, slug, at);
  await note(context, trx, show, { ...about, outcome: "published", link });
  return { done: { guid, link } };
}

/** One that a build has found fit. */
export interface DueEpisode extends Pick<EpisodesTable, "guid" | "title" | "slug"> {
  /** As it was called on the uploader's machine. */
  audioFile: string;
  /** The date that listeners see. */
  at: Date;
}

const AT_A_TIME = 500;

/**
 * Many at once, within a build's transaction: each leaves its row in the history, as if it were published alone. One that does not
 * wait for a build any more stays as it is. @returns how many came out
 */
export async function publishAll(
  context: StudioContext,
  trx: Transaction<StudioTables>,
  show: ShowsTable,
  due: readonly DueEpisode[],
  by: string,
): Promise<number> {
  const now = new Date(context.clock.now());
  let count = 0;
  for (let from = 0; from < due.length; from += AT_A_TIME) {
    const some = due.slice(from, from + AT_A_TIME).map((episode) => ({ ...episode, slug: slugOf(episode) }));
    const values = sql.join(some.map(({ guid, slug, at }) => sql`(${guid}::text, ${slug}::text, ${at.toISOString()}::timestamptz)`));
    const { rows: out } = await sql<{ guid: string }>`update studio.episodes e
      set state = 'published', slug = v.slug, published_at = v.at, publish_at = null, builds = false,
      updated_at = ${now.toISOString()}::timestamptz from (values ${values}) as v (guid, slug, at)
      where e.guid = v.guid and e.parent = ${show.guid} and e.state = 'draft' and e.builds returning e.guid`.execute(trx);
    if (out.length === 0) continue;
    const published = new Set(out.map(({ guid }) => guid));
    const rows = some.flatMap(({ guid, slug, title, audioFile }) => {
      if (!published.has(guid)) return [];
      const link = publicLink(context, show, { guid, slug });
      const about = { at: now, show_name: show.name, episode: guid, account: by, title, audio_file: audioFile };
      return { ...about, outcome: "published" as const, link, reason: "" };
    });
    await trx.insertInto("history").values(rows).execute();
    context.metrics.publishes.inc({ outcome: "published" }, rows.length);
    count += rows.length;
  }
  if (count > 0)
    await trx.updateTable("productions").set({ published: true, latest_publish_at: now }).where("guid", "=", show.parent).execute();
  return count;
}

/** Set once: links outlive titles. */
function slugOf({ guid, title, slug }: Pick<EpisodesTable, "guid" | "title" | "slug">): string {
  return slug ?? [slugify(title), guid].filter(Boolean).join("-");
}

/** A row of the history. */
async function note(
  context: StudioContext,
  trx: Transaction<StudioTables>,
  show: ShowsTable,
  row: Pick<HistoryTable, "episode" | "account" | "title" | "outcome"> & Partial<Pick<HistoryTable, "audio_file" | "link" | "reason">>,
): Promise<void> {
  const at = new Date(context.clock.now());
  await trx
    .insertInto("history")
    .values({ audio_file: "", link: "", reason: "", ...row, at, show_name: show.name })
    .execute();
  context.metrics.publishes.inc({ outcome: row.outcome });
}

async function findForUpdate(trx: Transaction<StudioTables>, show: ShowsTable, guid: string): Promise<Candidate | undefined> {
  // Locked first and alone: PostgreSQL locks no outer join's empty side.
  const episode = await trx
    .selectFrom("episodes")
    .select(["guid", "title", "slug", "state", "audio", "publish_at"])
    .where("parent", "=", show.guid)
    .where("guid", "=", guid)
    .forUpdate()
    .executeTakeFirst();
  if (!episode) return undefined;
  const asset = episode.audio
    ? await trx.selectFrom("assets").select(["file_name", "state"]).where("guid", "=", episode.audio).executeTakeFirst()
    : undefined;
  return { ...episode, audioFile: asset?.file_name ?? null, audioState: asset?.state ?? null };
}

async function markPublished(trx: Transaction<StudioTables>, show: ShowsTable, guid: string, slug: string, at: Date): Promise<void> {
  await trx
    .updateTable("episodes")
    .set({ state: "published", slug, published_at: at, publish_at: null, builds: false, updated_at: at })
    .where("guid", "=", guid)
    .execute();
  await trx
    .updateTable("productions")
    .set({ published: true, latest_publish_at: at, build_at: at })
    .where("guid", "=", show.parent)
    .execute();
  await trx
    .insertInto("builds")
    .values({ production: show.parent, at, reason: `publish ${guid}` })
    .execute();
}

/** @throws Refused when the time has passed, or for the same reasons as publish */
export async function schedule(context: StudioContext, show: ShowsTable, guid: string, at: Date): Promise<void> {
  if (Number.isNaN(at.getTime())) throw new Refused(400, "badTime");
  if (at.getTime() <= context.clock.now()) throw new Refused(422, "pastTime");
  await context.db.transaction().execute(async (trx) => {
    await lockProduction(trx, show.parent);
    const episode = await findForUpdate(trx, show, guid);
    if (!episode) throw new Refused(404, "noEpisode");
    if (episode.state === "published") throw new Refused(409, "publishedStays");
    const obstacle = obstacles.find(({ applies }) => applies(episode));
    if (obstacle) throw new Refused(obstacle.status, obstacle.text);
    await trx
      .updateTable("episodes")
      .set({ state: "scheduled", publish_at: at, builds: false, updated_at: new Date(context.clock.now()) })
      .where("guid", "=", guid)
      .execute();
  });
}

export async function unschedule(context: StudioContext, show: ShowsTable, guid: string): Promise<void> {
  const done = await context.db.transaction().execute(async (trx) => {
    await lockProduction(trx, show.parent);
    return trx
      .updateTable("episodes")
      .set({ state: "draft", publish_at: null, updated_at: new Date(context.clock.now()) })
      .where("parent", "=", show.guid)
      .where("guid", "=", guid)
      .where("state", "=", "scheduled")
      .executeTakeFirst();
  });
  if (done.numUpdatedRows === 0n) throw new Refused(409, "notScheduled");
}

/** A row of the append-only list of publish requests that the studio handled, oldest first. */
export interface HistoryEntry {
  id: number;
  at: Date;
  show: string;
  /** GUID */
  episode: string;
  /** E-mail of who asked; of the show's owner where it was scheduled. */
  account: string;
  title: string;
  /** As it was called on the uploader's machine. */
  audioFile: string;
  outcome: PublishOutcome;
  /** "" when refused. */
  link: string;
  /** "" unless refused: which rule. */
  reason: string;
}

export function toHistoryEntry(row: { id: number } & Omit<HistoryTable, "id">): HistoryEntry {
  const { id, at, show_name, episode, account, title, audio_file, outcome, link, reason } = row;
  return { id, at, show: show_name, episode, account, title, audioFile: audio_file, outcome, link, reason };
}
