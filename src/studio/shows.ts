import sharp from "sharp";
import { z } from "zod";
import { UsageError } from "../kit/config.ts";
import type { StudioContext } from "./context.ts";
import { coverSvg } from "./default-cover.ts";
import { namePattern, newGuid } from "./ids.ts";
import { keepDrawnCover } from "./media/keep.ts";
import type { AssetsTable, ShowsTable, StudioDb } from "./schema.ts";

export const categories = [
  "Arts",
  "Business",
  "Comedy",
  "Education",
  "Fiction",
  "Government",
  "Health & Fitness",
  "History",
  "Kids & Family",
  "Leisure",
  "Music",
  "News",
  "Religion & Spirituality",
  "Science",
  "Society & Culture",
  "Sports",
  "Technology",
  "True Crime",
  "TV & Film",
] as const;
export const TITLE_MAX_CHARACTERS = 200;

const name = z.string().regex(namePattern, "must be 8-44 of a-z, 0-9, - and _");
export const showFields = z.object({
  title: z.string().trim().min(1).max(TITLE_MAX_CHARACTERS),
  description: z.string().max(4000).default(""),
  /** BCP 47 */
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
    .default("en"),
  author: z.string().trim().max(200).default(""),
  /** Directories mail this address to prove who owns the feed. */
  ownerEmail: z.union([z.email(), z.literal("")]).default(""),
  category: z.enum(categories).default("Society & Culture"),
  explicit: z.boolean().default(false),
  locked: z.boolean().default(false),
});
const newShow = showFields.extend({ ownerId: z.string().min(1), name });
export type NewShow = z.input<typeof newShow>;

export interface Shows {
  /** A production with its show and a drawn cover. @throws UsageError for bad input or a taken name */
  create(show: NewShow): Promise<{ guid: string; name: string }>;
  /** @param id name or GUID */
  find(id: string): Promise<ShowsTable | null>;
  /** null also where it belongs to somebody else: that it exists is nobody's business. */
  findOwned(name: string, ownerId: string): Promise<ShowsTable | null>;
  listOwned(ownerId: string): Promise<ShowSummary[]>;
}

export interface ShowSummary extends ShowsTable {
  coverPath: string | null;
  published: number;
  drafts: number;
  latest: Date | null;
}

export function openShows(context: StudioContext): Shows {
  const { db, clock } = context;
  return {
    async create(input) {
      const parsed = newShow.safeParse(input);
      if (!parsed.success)
        throw new UsageError(
          `The show can't be made: ${parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}.`,
        );
      const show = parsed.data;
      const owner = await db.selectFrom("accounts").select(["name", "email"]).where("id", "=", show.ownerId).executeTakeFirst();
      if (!owner) throw new UsageError(`The show's owner ${show.ownerId} has no account here.`);
      const guid = newGuid();
      const now = new Date(clock.now());
      const cover = await drawCover(context, guid, show.title, show.name);
      await db
        .transaction()
        .execute(async (trx) =>
          insertShow(trx, { ...show, guid, author: show.author || owner.name, ownerEmail: show.ownerEmail || owner.email }, cover, now),
        );
      return { guid, name: show.name };
    },
    async find(id) {
      const row = await db
        .selectFrom("shows")
        .selectAll()
        .where((eb) => eb.or([eb("guid", "=", id), eb("name", "=", id)]))
        // A GUID is for ever; no new show gets a name that looks like one.
        .orderBy((eb) => eb.case().when("guid", "=", id).then(0).else(1).end())
        .limit(1)
        .executeTakeFirst();
      return row ?? null;
    },
    async findOwned(showName, ownerId) {
      const row = await db
        .selectFrom("shows")
        .innerJoin("productions", "productions.guid", "shows.parent")
        .selectAll("shows")
        .where("shows.name", "=", showName)
        .where("productions.owner_id", "=", ownerId)
        .executeTakeFirst();
      return row ?? null;
    },
    async listOwned(ownerId) {
      return db
        .selectFrom("shows")
        .innerJoin("productions", "productions.guid", "shows.parent")
        .leftJoin("assets", "assets.guid", "shows.cover")
        .selectAll("shows")
        .select(["assets.path as coverPath", "productions.latest_publish_at as latest"])
        .select((eb) => [
          eb
            .selectFrom("episodes")
            .whereRef("episodes.parent", "=", "shows.guid")
            .where("episodes.state", "=", "published")
            .select(eb.fn.countAll<number>().as("n"))
            .$asScalar()
            .$notNull()
            .as("published"),
          eb
            .selectFrom("episodes")
            .whereRef("episodes.parent", "=", "shows.guid")
            .where("episodes.state", "<>", "published")
            .select(eb.fn.countAll<number>().as("n"))
            .$asScalar()
            .$notNull()
            .as("drafts"),
        ])
        .where("productions.owner_id", "=", ownerId)
        .orderBy("shows.created_at")
        .execute();
    },
  };
}

/** The production, its show and its cover. @throws UsageError when the name is taken */
export async function insertShow(
  trx: StudioDb,
  show: z.output<typeof newShow> & { guid: string; importedFrom?: string },
  cover: AssetsTable,
  now: Date,
): Promise<void> {
  const made = await trx
    .insertInto("productions")
    .values({
      guid: show.guid,
      name: show.name,
      owner_id: show.ownerId,
      title: show.title,
      summary: show.description,
      published: false,
      latest_publish_at: null,
      build_at: null,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .executeTakeFirst();
  if (!made.numInsertedOrUpdatedRows) throw nameTaken(show.name);
  const { ownerId: _owner, ownerEmail, importedFrom = null, ...fields } = show;
  // A show may have been named otherwise than its production.
  const named = await trx
    .insertInto("shows")
    .values({
      ...fields,
      parent: show.guid,
      owner_email: ownerEmail,
      imported_from: importedFrom,
      cover: null,
      podcast_guid: null,
      details: "{}",
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .executeTakeFirst();
  if (!named.numInsertedOrUpdatedRows) throw nameTaken(show.name);
  await trx.insertInto("assets").values(cover).execute();
  await trx.updateTable("shows").set({ cover: cover.guid }).where("guid", "=", show.guid).execute();
}

function nameTaken(name: string): UsageError {
  return new UsageError(`The studio has a show named ${name} already. Choose another name.`);
}

/** So that a feed is valid from the first minute: directories refuse a show without a cover. */
export async function drawCover(context: StudioContext, parent: string, title: string, seed: string): Promise<AssetsTable> {
  const png = await sharp(Buffer.from(coverSvg(title, seed)))
    .png({ palette: true, effort: 1 })
    .toBuffer();
  const path = await keepDrawnCover(context, png);
  return {
    guid: newGuid(),
    parent,
    kind: "cover",
    file_name: "cover.png",
    path,
    mime: "image/png",
    bytes: png.length,
    seconds: null,
    state: "ready",
    problem: null,
    created_at: new Date(context.clock.now()),
  };
}
