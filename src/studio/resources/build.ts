import { sql, type Transaction } from "kysely";
import type { StudioContext } from "../context.ts";
import { lockProduction } from "../lock.ts";
import { publishAll, type DueEpisode } from "../publishing.ts";
import type { AssetState, EpisodesTable, ShowsTable, StudioTables } from "../schema.ts";
import { findShow, nameOf, type ProductionRow } from "./find.ts";
import { refuseProblems, type Problem } from "./problems.ts";

/** What is told of a build: the show, and whether anything has come out or will. */
export interface Built {
  show: ShowsTable;
  published: number;
  scheduled: number;
}

type Candidate = Pick<EpisodesTable, "guid" | "name" | "title" | "slug" | "state" | "dated_at" | "builds"> & {
  audioState: AssetState | null;
  audioFile: string | null;
  coverState: AssetState | null;
};

/**
 * Publishes what is due and schedules what is not, all of it or nothing. The caller writes the feed.
 * @param by the account's e-mail, for the history
 * @throws Rejected with all that is wrong with the production
 */
export async function publishDue(context: StudioContext, production: ProductionRow, by: string): Promise<Built> {
  const { db, clock, store, edges } = context;
  edges.onPublish("arrived");
  const built = await db.transaction().execute(async (trx): Promise<Built> => {
    await lockProduction(trx, production.guid);
    const { show, candidates } = await check(trx, production);
    const now = new Date(clock.now());
    const waiting = candidates.filter(({ state, builds }) => state === "draft" && builds);
    const due = waiting.filter(({ dated_at }) => dated_at === null || dated_at <= now);
    const later = waiting.filter((one) => !due.includes(one));
    const published = await publishAll(
      context,
      trx,
      show,
      due.map(({ guid, title, slug, dated_at, audioFile }): DueEpisode => ({
        guid,
        title,
        slug,
        audioFile: audioFile ?? "",
        at: dated_at ?? now,
      })),
      by,
    );
    let scheduled = 0n;
    if (later.length > 0)
      ({ numUpdatedRows: scheduled } = await trx
        .updateTable("episodes")
        .set({ state: "scheduled", builds: false, publish_at: sql<Date>`dated_at`, updated_at: now })
        .where("parent", "=", show.guid)
        .where("state", "=", "draft")
        .where("builds", "=", true)
        .where("dated_at", ">", now)
        .executeTakeFirst());
    await trx.updateTable("productions").set({ build_at: now }).where("guid", "=", production.guid).execute();
    return { show, published, scheduled: Number(scheduled) };
  });
  await store.flush();
  edges.onPublish("handled");
  return built;
}

/** Says whether a build would work. @throws Rejected with all that is wrong with the production */
export async function checkBuild({ db }: StudioContext, production: ProductionRow): Promise<void> {
  await db.transaction().execute(async (trx) => check(trx, production));
}

async function check(trx: Transaction<StudioTables>, production: ProductionRow): Promise<{ show: ShowsTable; candidates: Candidate[] }> {
  const problems: Problem[] = [];
  const show = await findShow(trx, production);
  if (!show) problems.push({ path: "show", message: "is missing: a production has one" });
  const candidates = show ? await toBuild(trx, show) : [];
  if (candidates.length === 0) problems.push({ path: "episode", message: "is missing: there is none but drafts, or none at all" });
  if (show) problems.push(...(await problemsOfShow(trx, show)));
  problems.push(...candidates.flatMap(problemsOfEpisode));
  refuseProblems(problems, "The production can't be built");
  return { show: show as ShowsTable, candidates };
}

/** All that is out, will come out, or waits for a build. */
async function toBuild(trx: Transaction<StudioTables>, show: ShowsTable): Promise<Candidate[]> {
  return trx
    .selectFrom("episodes")
    .leftJoin("assets as a", "a.guid", "episodes.audio")
    .leftJoin("assets as c", "c.guid", "episodes.cover")
    .select(["episodes.guid", "episodes.name", "episodes.title", "episodes.slug", "episodes.state", "episodes.dated_at", "episodes.builds"])
    .select(["a.state as audioState", "a.file_name as audioFile", "c.state as coverState"])
    .where("episodes.parent", "=", show.guid)
    .where((eb) => eb.or([eb("episodes.builds", "=", true), eb("episodes.state", "<>", "draft")]))
    .orderBy("episodes.dated_at")
    .orderBy("episodes.guid")
    .execute();
}

const notReady: Readonly<Record<AssetState, string | null>> = {
  waiting: "is still to be fetched",
  processing: "is still being processed",
  ready: null,
  refused: "can't be used; see its asset",
};

async function problemsOfShow(trx: Transaction<StudioTables>, show: ShowsTable): Promise<Problem[]> {
  const problems: Problem[] = [];
  if (show.title === "") problems.push({ path: "show.description.title", message: "is empty" });
  const guid = show.next_cover ?? show.cover;
  const cover = guid && (await trx.selectFrom("assets").select("state").where("guid", "=", guid).executeTakeFirst());
  const problem = cover ? notReady[cover.state] : "is missing";
  if (problem) problems.push({ path: "show.image", message: problem });
  return problems;
}

function problemsOfEpisode(episode: Candidate): Problem[] {
  const path = `episode.${nameOf(episode, "episode")}`;
  const audio = episode.audioState === null ? "is missing" : notReady[episode.audioState];
  const cover = episode.coverState === null ? null : notReady[episode.coverState];
  return [
    ...(episode.title === "" ? [{ path: `${path}.description.title`, message: "is empty" }] : []),
    ...(audio ? [{ path: `${path}.enclosure`, message: audio }] : []),
    ...(cover ? [{ path: `${path}.image`, message: cover }] : []),
  ];
}
