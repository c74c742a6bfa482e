import { randomUUID } from "node:crypto";
import type { Transaction } from "kysely";
import { requestData } from "../../contract/backlink-api.ts";
import type { WorkerEpisode } from "../../contract/worker-api.ts";
import { ApiError } from "../errors.ts";
import { newLink, type NewLink } from "../new-link.ts";
import type { ManagerTables, RequestRow } from "../tables.ts";
import { orderedIds } from "./ordered-ids.ts";

type Trx = Transaction<ManagerTables>;

/**
 * An episode made of a content: its title, the text of the variant that `key` picks, and its image.
 * @param key the episode's id; the same key gets the same variant
 * @throws ApiError unprocessable when the owner has no such content
 */
export type EpisodesOfContent = (trx: Trx, tenant: string, contentId: string, key: string) => Promise<WorkerEpisode>;

/** Four attempts in all. */
export const MAX_RETRIES = 3;
const ROWS_A_STATEMENT = 1000;
const CHARACTERS_A_STATEMENT = 4_000_000;

interface Account {
  id: string;
  site: string;
}

type Work = Pick<NewLink, "accountId" | "site" | "kind" | "episodes">;

/** Makes a request's links. The caller holds the request's lock. @throws ApiError unprocessable when there is nobody or nothing to post */
export async function makeWork(trx: Trx, request: RequestRow, episodesOfContent: EpisodesOfContent, now: Date): Promise<void> {
  const accounts = await activeAccounts(trx, request.group_id);
  const episodes = await episodesOf(trx, request, episodesOfContent);
  const work =
    request.service_type === "podcast" ? podcastWork(accounts, episodes, request.target) : plainWork(accounts, episodes, request);
  const { id: requestId, priority } = request;
  // Farms are handed out what was made at one moment in the order of the ids.
  const nextId = orderedIds(now);
  const atOnce = Math.min(ROWS_A_STATEMENT, Math.ceil(CHARACTERS_A_STATEMENT / JSON.stringify(episodes).length));
  for (let at = 0; at < work.length; at += atOnce) {
    const rows = work.slice(at, at + atOnce).map((one) => ({
      ...newLink({ ...one, requestId, priority, maxRetries: MAX_RETRIES }, now),
      id: nextId(),
    }));
    await trx.insertInto("links").values(rows).execute();
  }
}

/** The oldest first. */
async function activeAccounts(trx: Trx, groupId: string | null): Promise<Account[]> {
  if (groupId === null) throw new ApiError("unprocessable", "group_id: the request has no group whose accounts could post");
  const accounts = await trx
    .selectFrom("accounts")
    .select(["id", "site", "created_at"])
    .where("group_id", "=", groupId)
    .where("status", "=", "active")
    // As everybody locks accounts, so that no two wait for each other.
    .orderBy("id")
    // Nobody moves one to another site before its work is there: its password would be typed into the wrong one.
    .forKeyShare()
    .execute();
  if (accounts.length === 0) throw new ApiError("unprocessable", "group_id: the group has no active account");
  return accounts.toSorted((a, b) => a.created_at.getTime() - b.created_at.getTime());
}

/** Of the request's data: its episodes, then its contents; no more than its target. */
async function episodesOf(trx: Trx, request: RequestRow, episodesOfContent: EpisodesOfContent): Promise<WorkerEpisode[]> {
  const { episodes = [], content_ids = [] } = requestData.parse(request.data);
  const made: WorkerEpisode[] = episodes.slice(0, request.target).map(({ id = randomUUID(), about = "", image_url = "", ...episode }) => ({
    ...episode,
    id,
    about,
    image_url,
  }));
  for (const contentId of content_ids.slice(0, request.target - made.length))
    made.push(await episodesOfContent(trx, request.user_id ?? "", contentId, randomUUID()));
  return made;
}

/**
 * One account of each site posts, the site with the oldest account first, until the target's units are given out; all other
 * accounts wait to import the feed.
 */
function podcastWork(accounts: readonly Account[], episodes: readonly WorkerEpisode[], target: number): Work[] {
  if (episodes.length === 0) throw new ApiError("unprocessable", "data: there are no episodes; give data.episodes or data.content_ids");
  const sites = new Set<string>();
  let left = target;
  return accounts.map(({ id: accountId, site }) => {
    if (sites.has(site) || left === 0) return { accountId, site, kind: "secondary", episodes: [] };
    sites.add(site);
    const own = episodes.slice(0, left);
    left -= own.length;
    return { accountId, site, kind: "primary", episodes: own };
  });
}

/** Each account makes one link, up to the target, the episodes in turn. */
function plainWork(
  accounts: readonly Account[],
  episodes: readonly WorkerEpisode[],
  { target, name, website }: Pick<RequestRow, "target" | "name" | "website">,
): Work[] {
  const turns = episodes.length > 0 ? episodes : [{ id: randomUUID(), title: name, about: linkTo(website), image_url: "" }];
  return accounts.slice(0, target).map(({ id: accountId, site }, index) => ({
    accountId,
    site,
    kind: "primary",
    episodes: turns.slice(index % turns.length).slice(0, 1),
  }));
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function linkTo(website: string): string {
  const escaped = website.replaceAll(/[&<>"]/g, (character) => escapes[character] ?? character);
  return escaped && `<p><a href="${escaped}">${escaped}</a></p>`;
}
