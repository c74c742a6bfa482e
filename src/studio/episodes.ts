import { sql, type ExpressionBuilder, type SelectQueryBuilder } from "kysely";
import { z } from "zod";
import type { StudioContext } from "./context.ts";
import { newGuid } from "./ids.ts";
import { lockProduction } from "./lock.ts";
import { Refused } from "./refused.ts";
import { ABOUT_MAX_CHARACTERS, aboutLength, cleanAbout } from "./rich-text.ts";
import type { AssetState, AssetsTable, EpisodesTable, ShowsTable, StudioDb, StudioTables } from "./schema.ts";
import { TITLE_MAX_CHARACTERS } from "./shows.ts";

export const PAGE_SIZE = 20;

/** What the editor sends. `audio` and `cover` are assets of the same show; "" takes them away. */
export const episodeFields = z.object({
  title: z.string().default(""),
  about: z.string().default(""),
  audio: z.string().default(""),
  cover: z.string().default(""),
  machineVoice: z.boolean().default(false),
});
export type EpisodeFields = z.infer<typeof episodeFields>;

export type EpisodeStatus = "draft" | "processing" | "scheduled" | "published";

/** An episode with the files it points to. */
export interface EpisodeRow extends EpisodesTable {
  audioFile: string | null;
  audioPath: string | null;
  audioMime: string | null;
  audioBytes: number | null;
  audioSeconds: number | null;
  audioState: AssetState | null;
  coverPath: string | null;
  coverFile: string | null;
}

export function statusOf(episode: EpisodeRow): EpisodeStatus {
  if (episode.state !== "draft") return episode.state;
  return episode.audioState === "processing" || episode.audioState === "waiting" ? "processing" : "draft";
}

export interface Episodes {
  /** @throws Refused when a field breaks a rule */
  create(show: ShowsTable, fields: EpisodeFields): Promise<EpisodeRow>;
  update(show: ShowsTable, guid: string, fields: EpisodeFields): Promise<EpisodeRow>;
  /** @throws Refused 404 when the show has none of that guid */
  get(show: ShowsTable, guid: string): Promise<EpisodeRow>;
  /** @throws Refused 409 when it is published: that can't be taken back */
  remove(show: ShowsTable, guid: string): Promise<void>;
  list(
    show: ShowsTable,
    query: { search: string; page: number },
  ): Promise<{ episodes: EpisodeRow[]; total: number; pages: number; page: number }>;
  /** What the world sees, newest first. */
  listPublished(show: ShowsTable, limit?: number): Promise<EpisodeRow[]>;
  /** All of them in any state, the newest first. */
  listAll(show: ShowsTable): Promise<EpisodeRow[]>;
  asset(show: ShowsTable, guid: string): Promise<AssetsTable | null>;
}

export function openEpisodes(context: StudioContext): Episodes {
  const { db, clock, edges } = context;
  const rows = (show: ShowsTable) =>
    db
      .selectFrom("episodes")
      .leftJoin("assets as a", "a.guid", "episodes.audio")
      .leftJoin("assets as c", "c.guid", "episodes.cover")
      .selectAll("episodes")
      .select([
        "a.file_name as audioFile",
        "a.path as audioPath",
        "a.mime as audioMime",
        "a.bytes as audioBytes",
        "a.seconds as audioSeconds",
        "a.state as audioState",
        "c.path as coverPath",
        "c.file_name as coverFile",
      ])
      .where("episodes.parent", "=", show.guid);
  /** An edge: what was published a moment ago is not in the lists yet. */
  const visible = (eb: ExpressionBuilder<StudioTables, "episodes">) =>
    eb.or([eb("episodes.published_at", "is", null), eb("episodes.published_at", "<=", new Date(clock.now() - edges.listingLagMs))]);

  async function get(show: ShowsTable, guid: string): Promise<EpisodeRow> {
    const row = await rows(show).where("episodes.guid", "=", guid).executeTakeFirst();
    if (!row) throw new Refused(404, "noEpisode");
    return row;
  }

  return {
    get,
    async create(show, fields) {
      return get(show, await insertDraft(context, db, show, fields));
    },
    async update(show, guid, fields) {
      await db.transaction().execute(async (trx) => {
        await lockProduction(trx, show.parent);
        const before = await openEpisodes({ ...context, db: trx }).get(show, guid);
        const values = await checkFields(trx, show, fields);
        if (before.state !== "draft") await checkStaysPublishable(trx, values);
        await trx
          .updateTable("episodes")
          .set({ ...values, updated_at: new Date(clock.now()) })
          .where("guid", "=", guid)
          .execute();
      });
      return get(show, guid);
    },
    async remove(show, guid) {
      const gone = await db.transaction().execute(async (trx) => {
        await lockProduction(trx, show.parent);
        return trx
          .deleteFrom("episodes")
          .where("parent", "=", show.guid)
          .where("guid", "=", guid)
          .where("state", "<>", "published")
          .executeTakeFirst();
      });
      if (gone.numDeletedRows > 0n) return;
      await get(show, guid);
      throw new Refused(409, "publishedStays");
    },
    async list(show, { search, page }) {
      if (edges.tier === "blind") return { episodes: [], total: 0, pages: 1, page: 1 };
      const pattern = `%${search.replace(/[\\%_]/g, "\\$&")}%`;
      const matching = <O>(query: SelectQueryBuilder<StudioTables & { a: AssetsTable }, "episodes" | "a", O>) =>
        search
          ? query.where((eb) =>
              eb.or([eb("episodes.title", "ilike", pattern), ...(edges.marker ? [eb("a.file_name", "ilike", pattern)] : [])]),
            )
          : query;
      const base = db
        .selectFrom("episodes")
        .leftJoin("assets as a", "a.guid", "episodes.audio")
        .where("episodes.parent", "=", show.guid)
        .where((eb) => visible(eb as never));
      const { total } = await matching(base as never)
        .select((eb) => eb.fn.countAll<number>().as("total"))
        .executeTakeFirstOrThrow();
      const pages = Math.max(1, Math.ceil(Number(total) / PAGE_SIZE));
      const shown = Math.min(Math.max(1, page), pages);
      const found = await (matching(rows(show) as never) as ReturnType<typeof rows>)
        .where((eb) => visible(eb as never))
        .orderBy(sql`coalesce(published_at, publish_at, episodes.created_at)`, "desc")
        .orderBy("episodes.guid")
        .limit(PAGE_SIZE)
        .offset((shown - 1) * PAGE_SIZE)
        .execute();
      return { episodes: found, total: Number(total), pages, page: shown };
    },
    async listPublished(show, limit = 1000) {
      return rows(show)
        .where("episodes.state", "=", "published")
        .where((eb) => visible(eb as never))
        .orderBy("published_at", "desc")
        .orderBy("episodes.guid")
        .limit(limit)
        .execute();
    },
    listAll: async (show) =>
      rows(show)
        .orderBy(sql`coalesce(published_at, publish_at, dated_at, episodes.created_at)`, "desc")
        .orderBy("episodes.guid")
        .execute(),
    async asset(show, guid) {
      return (
        (await db.selectFrom("assets").selectAll().where("parent", "=", show.guid).where("guid", "=", guid).executeTakeFirst()) ?? null
      );
    },
  };
}

/** @returns the new draft's guid. @throws Refused when a field breaks a rule */
export async function insertDraft(context: StudioContext, db: StudioDb, show: ShowsTable, fields: EpisodeFields): Promise<string> {
  const now = new Date(context.clock.now());
  const guid = newGuid();
  const row: EpisodesTable = {
    ...(await checkFields(db, show, fields)),
    guid,
    parent: show.guid,
    slug: null,
    state: "draft",
    publish_at: null,
    published_at: null,
    name: null,
    builds: false,
    dated_at: null,
    feed_guid: null,
    details: "{}",
    created_at: now,
    updated_at: now,
  };
  await db.insertInto("episodes").values(row).execute();
  return guid;
}

/** What is out, or will come out by itself, must not lose what an episode needs. */
async function checkStaysPublishable(db: StudioDb, { title, audio }: Pick<EpisodesTable, "title" | "audio">): Promise<void> {
  if (!title) throw new Refused(422, "titleMissing");
  if (!audio) throw new Refused(422, "audioMissing");
  const asset = await db.selectFrom("assets").select("state").where("guid", "=", audio).executeTakeFirst();
  if (asset?.state !== "ready") throw new Refused(409, "audioNotReady");
}

/** The columns for what the editor sent. @throws Refused with the first rule that is broken */
async function checkFields(db: StudioDb, show: ShowsTable, fields: EpisodeFields) {
  const title = fields.title.trim();
  if ([...title].length > TITLE_MAX_CHARACTERS) throw new Refused(422, "titleTooLong");
  const about = cleanAbout(fields.about);
  if (aboutLength(about) > ABOUT_MAX_CHARACTERS) throw new Refused(422, "aboutTooLong");
  if (title.includes("\0") || about.includes("\0")) throw new Refused(400, "badInput");
  for (const kind of ["audio", "cover"] as const) {
    if (!fields[kind]) continue;
    const asset = await db
      .selectFrom("assets")
      .select("state")
      .where("parent", "=", show.guid)
      .where("guid", "=", fields[kind])
      .where("kind", "=", kind)
      .executeTakeFirst();
    if (!asset || asset.state === "refused") throw new Refused(422, kind === "audio" ? "audioMissing" : "coverBroken");
  }
  return { title, about_html: about, audio: fields.audio || null, cover: fields.cover || null, machine_voice: fields.machineVoice };
}
