import type { EpisodeInput } from "../../contract/podops-resource.ts";
import { line } from "../../media/xml-write.ts";
import { openEpisodes, type EpisodeRow } from "../episodes.ts";
import { newGuid } from "../ids.ts";
import { ABOUT_MAX_CHARACTERS, aboutLength } from "../rich-text.ts";
import type { EpisodesTable } from "../schema.ts";
import { addressed, checkName } from "./address.ts";
import type { EpisodeDetails } from "./details.ts";
import { findEpisode, findShow } from "./find.ts";
import { pointTo } from "./point-to.ts";
import type { Problem } from "./problems.ts";
import { checkMode, type SaveCall } from "./save-call.ts";
import { aboutOf } from "./summary.ts";

const isYes = (text: string | undefined): boolean => /^(true|yes)$/i.test(text ?? "");

/**
 * Makes an episode for the next build, or changes it. What is published stays so, under its GUID and its address; what is scheduled
 * moves with its date. @returns its GUID
 */
export async function saveEpisode({ context, trx, production, id, mode, input, problems }: SaveCall<EpisodeInput>): Promise<string> {
  const { guid: asked, name } = addressed(id, "episode", input?.metadata ?? {}, problems);
  const show = await findShow(trx, production);
  if (!show) {
    problems.push({ path: "metadata.parent", message: "the production has no show as yet; make it first" });
    return "";
  }
  if (input?.metadata.parent !== undefined && input.metadata.parent !== show.guid)
    problems.push({ path: "metadata.parent", message: `is not the production's show (${show.guid})` });
  const episodes = openEpisodes({ ...context, db: trx });
  const before = await findEpisode(trx, episodes, show, id);
  checkMode(mode, before !== null, problems);
  const guid = before?.guid ?? asked ?? newGuid();
  if (before && asked !== null && asked !== before.guid)
    problems.push({ path: "metadata.guid", message: `is not that of ${name} (${before.guid})` });
  const known = before?.feed_guid ?? guid;
  const feedGuid = input?.metadata.labels.guid ?? known;
  problems.push(...(await problemsWithOthers(trx, show.guid, { guid, name, feedGuid })));
  // As the feed will say it: two that differ in spaces only are one guid there.
  if (feedGuid !== known && (feedGuid === "" || feedGuid !== line(feedGuid)))
    problems.push({ path: "metadata.labels.guid", message: "is no line of text without spaces around it or control characters" });
  if (before?.state === "published" && feedGuid !== known)
    problems.push({ path: "metadata.labels.guid", message: `the episode is published; players know it as "${known}"` });
  if (name !== before?.name) checkName(name, problems);
  if (!input) return guid;
  const now = new Date(context.clock.now());
  const fields = { ...fieldsOf(input, problems), ...placeInTime(input, before, now, problems) };
  const target = { parent: show.guid, kind: "audio", path: "enclosure", seconds: input.description.duration } as const;
  const audio = await pointTo(context, trx, input.enclosure, target, problems);
  const cover = input.image
    ? await pointTo(context, trx, input.image, { parent: show.guid, kind: "cover", path: "image" }, problems)
    : null;
  if (before && before.state !== "draft" && audio !== null) await checkStaysReady(trx, audio, problems);
  if (problems.length > 0) return guid;
  // What players know it by stays, also when the caller does not say it again.
  const row = {
    ...fields,
    feed_guid: fields.feed_guid ?? before?.feed_guid ?? null,
    machine_voice: fields.machine_voice ?? before?.machine_voice ?? false,
    name: name ?? before?.name ?? null,
    audio,
    cover,
    updated_at: now,
  };
  if (before) await trx.updateTable("episodes").set(row).where("guid", "=", guid).execute();
  else
    await trx
      .insertInto("episodes")
      .values({ ...row, guid, parent: show.guid, slug: null, created_at: now })
      .execute();
  return guid;
}

/** What other episodes have already. Of two with one guid in the feed, players would take one for the other. */
async function problemsWithOthers(
  trx: SaveCall<EpisodeInput>["trx"],
  show: string,
  { guid, name, feedGuid }: { guid: string; name: string | null; feedGuid: string },
): Promise<Problem[]> {
  const others = await trx
    .selectFrom("episodes")
    .select((eb) => ["guid", "parent", "name", eb.fn.coalesce("feed_guid", "guid").as("feedGuid")])
    .where((eb) =>
      eb.or([
        eb("guid", "=", guid),
        eb.and([eb("parent", "=", show), eb("name", "=", name ?? "")]),
        eb.and([eb("parent", "=", show), eb(eb.fn.coalesce("feed_guid", "guid"), "=", feedGuid)]),
      ]),
    )
    .execute();
  const rest = others.filter((one) => one.parent === show && one.guid !== guid);
  return [
    ...(others.some((one) => one.guid === guid && one.parent !== show)
      ? [{ path: "metadata.guid", message: "is taken; choose another one" }]
      : []),
    ...(rest.some((one) => one.name !== null && one.name === name)
      ? [{ path: "metadata.name", message: "is taken in this show; choose another name" }]
      : []),
    ...(rest.some((one) => one.feedGuid === feedGuid)
      ? [{ path: "metadata.labels.guid", message: "is another episode's of this show" }]
      : []),
  ];
}

/** Listeners must not lose what they have. */
async function checkStaysReady(trx: SaveCall<EpisodeInput>["trx"], audio: string, problems: Problem[]): Promise<void> {
  const asset = await trx.selectFrom("assets").select("state").where("guid", "=", audio).executeTakeFirst();
  if (asset?.state !== "ready")
    problems.push({ path: "enclosure.uri", message: "is not ready, and the episode is out already; import it first" });
}

/** Whether it is a draft, and when it is to appear. */
function placeInTime(
  { metadata: { date, labels } }: EpisodeInput,
  before: EpisodeRow | null,
  now: Date,
  problems: Problem[],
): Pick<EpisodesTable, "state" | "builds" | "dated_at" | "publish_at" | "published_at"> {
  const isDraft = isYes(labels.draft);
  if (before?.state === "published") {
    if (isDraft) problems.push({ path: "metadata.labels.draft", message: "the episode is published; it can't become a draft again" });
    if (date && date > now) problems.push({ path: "metadata.date", message: "the episode is published; its date can't be in the future" });
    return {
      state: "published",
      builds: false,
      dated_at: date ?? before.dated_at,
      publish_at: null,
      published_at: date ?? before.published_at,
    };
  }
  const dated_at = date ?? (before?.state === "scheduled" ? before.publish_at : before?.dated_at) ?? now;
  // One whose time has come while its date is the same belongs to the scheduler: no build has to come first.
  const moved = date !== undefined && date.getTime() !== before?.publish_at?.getTime();
  const waits = before?.state === "scheduled" && !isDraft && (!moved || dated_at > now);
  return {
    state: waits ? "scheduled" : "draft",
    builds: !isDraft && !waits,
    dated_at,
    publish_at: waits ? dated_at : null,
    published_at: null,
  };
}

function fieldsOf({ metadata: { labels, tags = [] }, description }: EpisodeInput, problems: Problem[]) {
  const { title, summary, link } = description;
  const about = aboutOf(summary);
  if (aboutLength(about) > ABOUT_MAX_CHARACTERS)
    problems.push({ path: "description.summary", message: `has more than ${ABOUT_MAX_CHARACTERS} characters as HTML` });
  const [season, episode] = [labels.season, labels.episode].map(Number);
  const details: EpisodeDetails = {
    labels,
    tags,
    summary,
    link: link?.uri ?? "",
    type: labels.type === undefined ? "full" : (labels.type.toLowerCase() as "full" | "trailer" | "bonus"),
    ...(season && { season }),
    ...(episode && { episode }),
    ...(labels.explicit !== undefined && { explicit: isYes(labels.explicit) }),
    block: isYes(labels.block),
  };
  const machine_voice = labels.narrated === undefined ? null : isYes(labels.narrated);
  return { title: title.trim(), about_html: about, feed_guid: labels.guid ?? null, machine_voice, details: JSON.stringify(details) };
}
