import type { PreparedEpisode, SiteCopy, SiteEntry } from "../contract/task.ts";
import { readCopy, readEntry, readLink } from "../driver/context.ts";
import { withDeadline } from "../kit/deadline.ts";
import type { Verbs, VerbParts } from "./verbs.ts";

/** The evidence of a look needs the feed's address: a site that is slow now is not waited for as long as for a post. */
const FEED_WITHIN_MS = 10_000;

/** What the site shows of an episode. */
export interface Look {
  /** By its marker; null where the site keeps none. */
  copies: SiteCopy[] | null;
  entries: SiteEntry[];
  /** The driver looked at a page, which stands there still. */
  usedPage: boolean;
}

export async function look(verbs: Verbs, { driver, stage, assignment }: VerbParts, episode: PreparedEpisode): Promise<Look> {
  const { find, list } = driver;
  const pageBefore = stage.lastDocument;
  const copies = find ? await verbs.perform("find", episode, async (site) => find(site, episode)) : null;
  const entries = list ? await verbs.perform("list", episode, async (site) => list(site)) : [];
  return {
    copies: copies?.map((copy) => readCopy(copy, assignment.origin)) ?? null,
    entries: entries.map((entry) => readEntry(entry, assignment.origin)),
    usedPage: stage.lastDocument !== pageBefore,
  };
}

/** Files for the person who has to decide, should the coordinator not be able to. */
export async function showAbsence(verbs: Verbs, parts: VerbParts, episode: PreparedEpisode, seen: Look): Promise<string[]> {
  const { driver, stage, assignment, evidence } = parts;
  const { id, title, marker } = episode;
  const said = { ...(driver.find && { find: seen.copies }), ...(driver.list && { list: seen.entries }) };
  const asked = { site: driver.site, origin: assignment.origin, episode: { id, title, marker }, said };
  const feed = async (): Promise<string> => {
    const reading = verbs.perform("feed", undefined, async (site) => driver.feed(site));
    reading.catch(() => undefined);
    const link = await withDeadline(FEED_WITHIN_MS, "reading the feed's address", async () => reading);
    return readLink(link, assignment.origin);
  };
  const kept = await evidence.keepListing(asked, seen.usedPage, feed);
  // Whatever the feed's reading left under way ends with its page.
  await stage.freshPage();
  return kept;
}
