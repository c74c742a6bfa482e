import type { FailureData } from "../contract/failures.ts";
import type { DriverCard, PreparedEpisode, SiteCopy, SiteEntry } from "../contract/task.ts";

/** Unknown outcomes: what a look at the site says of them. Decisions only. */
const MAX_ATTEMPTS = 2;
/** Publishing a draft again by its id does no harm, so that a crash or two more are no reason to ask anybody. */
const MAX_DRAFT_ATTEMPTS = 6;

/** What an empty look says of an episode in doubt. null: it is surely not there and may be posted again. */
export function judgeAbsence(
  episode: { attempts: number; baseline: string[] | null; draft_id: string | null },
  { tier, repost }: { tier: DriverCard["tier"]; repost: "after-look" | "never" },
  seen: readonly string[],
  knownIds: ReadonlySet<string>,
): FailureData | null {
  const doubt = (detail: string): FailureData => ({ code: "episode.in_doubt", detail });
  if (tier === "blind") return doubt("the site can't be asked whether the episode is there");
  if (repost === "never") return doubt("the site does not show the episode, and REPOST says that nothing is posted again without a person");
  if (episode.attempts >= (tier === "drafts" && episode.draft_id !== null ? MAX_DRAFT_ATTEMPTS : MAX_ATTEMPTS))
    return doubt(`the publish request was sent ${episode.attempts} times with an unknown outcome, and the site does not show the episode`);
  const strangers =
    tier === "list" && episode.baseline
      ? seen.filter((id) => !episode.baseline?.includes(id) && !knownIds.has(id) && id !== episode.draft_id)
      : [];
  // Ids alone say nothing of whose they are; where the list has titles, those with ours are copies by now and the others are not ours.
  return strangers.length > 0 ? doubt(`the site shows new entries that may be this episode: ${strangers.join(", ")}`) : null;
}

/** An episode on a site that keeps no marker. */
interface Unmarked {
  title: string;
  prepared: PreparedEpisode | null;
  /** Ids on the site before the first arm. */
  baseline: string[] | null;
  attempts: number;
}

const plain = (title: string): string => title.normalize("NFC").replaceAll(/\s+/g, " ").trim();

/** Rows with the episode's title that belong to no other episode of the account. */
export function sameTitle(episode: Unmarked, listed: readonly SiteEntry[], others: ReadonlySet<string>): SiteEntry[] {
  const title = plain(episode.prepared?.title ?? episode.title);
  return listed.filter((entry) => plain(entry.title) === title && !others.has(entry.id));
}

/**
 * Copies on a site that keeps no marker: not there before the first arm, with our title, and nobody else's. Of an episode that
 * was never armed nothing is ours.
 */
export function newOfOurs(episode: Unmarked, listed: readonly SiteEntry[], others: ReadonlySet<string>): SiteCopy[] {
  const { attempts, baseline } = episode;
  if (attempts === 0 || !baseline) return [];
  return sameTitle(episode, listed, others)
    .filter(({ id }) => !baseline.includes(id))
    .map(({ id, link }) => ({ id, link }));
}

/** Two copies of one episode: the alarm that should never ring. */
export function duplicateAlarm(copies: readonly SiteCopy[]): FailureData | null {
  return copies.length < 2 ? null : { code: "episode.duplicate_on_site", detail: copies.map((copy) => copy.link || copy.id).join(" and ") };
}
