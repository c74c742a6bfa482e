import type { FailureData } from "../contract/failures.ts";
import type { DriverCard, PreparedEpisode, SiteCopy, SiteEntry } from "../contract/task.ts";

/** Unknown outcomes: what a look at the site says of them. Decisions only. */
const MAX_ATTEMPTS = 2;
/** Publishing a draft again by its id does no harm, so that a crash or two more are no reason to ask anybody. */
const MAX_DRAFT_ATTEMPTS = 6;

/**
 * What an empty look says of an episode in doubt. null: it is surely not there and may be posted again.
 * @param alike rows of the site's list that may be it all the same: a site can lose a marker
 * @param unknown new rows under other titles, on a site that keeps no marker: it may have changed ours
 */
export function judgeAbsence(
  episode: { attempts: number; draft_id: string | null },
  { tier, repost }: { tier: DriverCard["tier"]; repost: "after-look" | "never" },
  alike: readonly SiteEntry[],
  unknown: readonly SiteEntry[] = [],
): FailureData | null {
  const doubt = (detail: string): FailureData => ({ code: "episode.in_doubt", detail });
  if (tier === "blind") return doubt("the site can't be asked whether the episode is there");
  if (repost === "never") return doubt("the site does not show the episode, and REPOST says that nothing is posted again without a person");
  const harmless = tier === "drafts" && episode.draft_id !== null;
  if (episode.attempts >= (harmless ? MAX_DRAFT_ATTEMPTS : MAX_ATTEMPTS))
    return doubt(`the publish request was sent ${episode.attempts} times with an unknown outcome, and the site does not show the episode`);
  const said = (rows: readonly SiteEntry[]): string => rows.map(({ link, id }) => link || id).join(", ");
  if (alike.length > 0) return doubt(`the site shows new entries with its title: ${said(alike)}`);
  return unknown.length > 0 && !harmless
    ? doubt(`the site, which keeps no marker, shows new entries under titles that are none of ours; one may be it: ${said(unknown)}`)
    : null;
}

/** An episode of which only a list of titles is known. */
interface Unmarked {
  title: string;
  prepared: PreparedEpisode | null;
  /** Ids on the site before the first arm. */
  baseline: string[] | null;
  attempts: number;
  draft_id: string | null;
}

/** Another episode of the same account. `title`: as it is sent to the site. */
export interface Neighbour {
  title: string;
  site_id: string | null;
  draft_id: string | null;
  link: string | null;
}

const titleOf = ({ prepared, title }: Unmarked): string => plain(prepared?.title ?? title);
const plain = (title: string): string => title.normalize("NFC").replaceAll(/\s+/g, " ").trim();

/** Rows with the episode's title, not seen before its first arm, that belong to no other episode of the account. */
export function lookalikes(episode: Unmarked, entries: readonly SiteEntry[], neighbours: readonly Neighbour[]): SiteEntry[] {
  return newcomers(episode, entries, neighbours).filter(({ title }) => plain(title) === titleOf(episode));
}

/**
 * Rows that were not there before the first arm and carry the title of no episode of the account: made by hand, or ours under a
 * title that the site has changed.
 */
export function strangers(episode: Unmarked, entries: readonly SiteEntry[], neighbours: readonly Neighbour[]): SiteEntry[] {
  const titles = new Set([titleOf(episode), ...neighbours.map(({ title }) => plain(title))]);
  return newcomers(episode, entries, neighbours).filter(({ title }) => !titles.has(plain(title)));
}

/** Not seen before the first arm, and of no other episode of the account. */
function newcomers(episode: Unmarked, entries: readonly SiteEntry[], neighbours: readonly Neighbour[]): SiteEntry[] {
  const taken = new Set(neighbours.flatMap(({ site_id, draft_id, link }) => [site_id, draft_id, link]));
  return entries.filter(
    ({ id, link }) => !taken.has(id) && !(link !== "" && taken.has(link)) && id !== episode.draft_id && !episode.baseline?.includes(id),
  );
}

/**
 * Another episode with this one's title is not known on the site: what is new could be either's. Also where it seems never to
 * have been sent: an older copy of the ledger that was put back forgets that.
 */
export function isContested(episode: Unmarked, neighbours: readonly Neighbour[]): boolean {
  const title = titleOf(episode);
  return neighbours.some((other) => other.site_id === null && other.link === null && plain(other.title) === title);
}

/**
 * Copies on a site that keeps no marker: not there before the first arm, with our draft's id or our title, and nobody else's. Of
 * an episode that was never armed nothing is ours, and of two that could both be meant by a title neither.
 */
export function newOfOurs(episode: Unmarked, entries: readonly SiteEntry[], neighbours: readonly Neighbour[]): SiteCopy[] {
  if (episode.attempts === 0 || !episode.baseline) return [];
  const drafted = entries.filter(({ id }) => id === episode.draft_id && !episode.baseline?.includes(id));
  const alike = isContested(episode, neighbours) ? [] : lookalikes(episode, entries, neighbours);
  return [...drafted, ...alike].map(({ id, link }) => ({ id, link }));
}

/** Two copies of one episode: the alarm that should never ring. */
export function duplicateAlarm(copies: readonly SiteCopy[]): FailureData | null {
  return copies.length < 2 ? null : { code: "episode.duplicate_on_site", detail: copies.map((copy) => copy.link || copy.id).join(" and ") };
}
