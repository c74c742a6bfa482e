import { setTimeout as delay } from "node:timers/promises";
import { episodeInput, type EpisodeResource } from "../../contract/podops-resource.ts";
import { UsageError } from "../../kit/config.ts";
import type { PodopsClient } from "../../kit/podops-client.ts";
import { counted, showBatches } from "../progress.ts";
import type { EpisodeOfFeed } from "./feed-resources.ts";
import { fitResource } from "./fit-resource.ts";
import { refusedWith } from "./studio-client.ts";

/** An episode that is not in. */
export interface Failed {
  name: string;
  title: string;
  problem: string;
}

const AT_A_TIME = 4;
export const LOOK_EVERY_MS = 1000;
/** Looking takes a fifth of the time at most, however many episodes there are. */
const REST_PER_LOOK = 4;
const LONGEST_REST_MS = 15_000;
/** What failed is tried again after 10 s, then for hours: those this command does not wait for. */
export const SECOND_TRY_MS = 15_000;
/** One download may take ten minutes. */
export const NO_NEWS_MS = 11 * 60_000;

/** By their names. */
export async function episodesOf(studio: PodopsClient, guid: string): Promise<Map<string, EpisodeResource>> {
  const { resources } = await studio.listResources({ params: { prod: guid, kind: "episode" } });
  return new Map(resources.flatMap((one) => (one.kind === "episode" ? [[one.metadata.name, one] as const] : [])));
}

/** Makes resources of them; the studio begins to fetch their files. What it refuses is told and left out. */
export async function bringEpisodes(
  studio: PodopsClient,
  guid: string,
  fresh: readonly EpisodeOfFeed[],
  failed: Failed[],
  left: string[],
): Promise<void> {
  if (fresh.length === 0) return;
  const progress = showBatches(fresh.length, "episodes");
  let done = 0;
  const queue = fresh.values();
  const work = async (): Promise<void> => {
    for (const wanted of queue) {
      const { name } = wanted.metadata;
      const { title } = wanted.description;
      const { resource, left: dropped, problem } = fitResource(episodeInput, wanted);
      left.push(...dropped.map((field) => `${field} of ${title}`));
      const why = problem || (await make(studio, guid, resource));
      if (why) failed.push({ name, title, problem: why });
      progress.show((done += 1), counted({ refused: failed.length }));
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  } finally {
    progress.end();
  }
}

/** @returns why the studio does not take it, "" when it does */
async function make(studio: PodopsClient, prod: string, body: EpisodeOfFeed): Promise<string> {
  try {
    await studio.createResource({ params: { prod, kind: "episode", id: body.metadata.name }, body: { ...body, kind: "episode" } });
    return "";
  } catch (error) {
    if (refusedWith(error) === 400 && error instanceof UsageError) return error.message;
    throw error;
  }
}

/**
 * Waits until the files of the feed's episodes are here. An episode whose recording can't be had is taken out again, so that the
 * rest can be built; a picture that can't be had is left out.
 */
export async function untilFetched(
  studio: PodopsClient,
  guid: string,
  episodes: readonly EpisodeOfFeed[],
  failed: Failed[],
  left: string[],
): Promise<void> {
  const wanted = new Map(episodes.map((one) => [one.metadata.name, one]));
  let [open, restMs] = [await openOf(studio, guid, wanted), LOOK_EVERY_MS];
  if (open.length === 0) return;
  const total = open.length;
  const progress = showBatches(total, "recordings");
  for (let news = performance.now(), before = total; ;) {
    const [settled, troubled] = [open.filter(isSettled).length, open.filter(isTroubled).length];
    progress.show(total - open.length, counted({ failed: settled, "to be tried again": troubled }));
    if (settled === open.length) break;
    if (performance.now() - news > (settled + troubled === open.length ? SECOND_TRY_MS : NO_NEWS_MS)) break;
    await delay(restMs);
    const began = performance.now();
    open = await openOf(studio, guid, wanted);
    restMs = Math.min(LONGEST_REST_MS, Math.max(LOOK_EVERY_MS, (performance.now() - began) * REST_PER_LOOK));
    if (open.length !== before) [news, before] = [performance.now(), open.length];
  }
  progress.end();
  for (const { metadata } of open) {
    const { name } = metadata;
    const asked = wanted.get(name);
    const params = { prod: guid, kind: "episode", id: metadata.guid } as const;
    const one = await studio.readResource({ params });
    // What came in the last moment stays, and may be out by now.
    if (one.kind !== "episode" || one.state !== "waiting" || !isOpen(one)) continue;
    if (one.enclosure?.state === "ready" && asked) {
      const { image: _image, ...body } = asked;
      left.push(`image of ${one.description.title} (${one.image?.problem ?? one.image?.state})`);
      await studio.updateResource({ params, body: { ...body, kind: "episode" } });
      continue;
    }
    await studio.deleteResource({ params });
    if (one.enclosure) await forget(studio, guid, one.enclosure.guid);
    const problem = one.enclosure?.problem ?? `its recording is still ${one.enclosure?.state ?? "missing"}`;
    failed.push({ name, title: one.description.title, problem });
  }
}

/** A file that could not be had: asked for again, it is fetched at once. Where another episode has it, it stays. */
async function forget(studio: PodopsClient, prod: string, id: string): Promise<void> {
  try {
    await studio.deleteResource({ params: { prod, kind: "asset", id } });
  } catch (error) {
    if (refusedWith(error) === null) throw error;
  }
}

/** Those of the feed, not published as yet, whose files are not all here. */
async function openOf(studio: PodopsClient, guid: string, wanted: ReadonlyMap<string, unknown>): Promise<EpisodeResource[]> {
  const known = await episodesOf(studio, guid);
  return [...known.values()].filter((one) => wanted.has(one.metadata.name) && one.state === "waiting" && isOpen(one));
}

/** One of its files is not here. */
function isOpen({ enclosure, image }: EpisodeResource): boolean {
  return enclosure?.state !== "ready" || (image !== undefined && image.state !== "ready");
}

/** A first try failed; there will be others. */
function isTroubled(episode: EpisodeResource): boolean {
  return !isSettled(episode) && [episode.enclosure, episode.image].some((one) => one?.state === "waiting" && one.problem !== undefined);
}

/** Nothing will come of it any more. */
function isSettled({ enclosure, image }: EpisodeResource): boolean {
  return enclosure?.state === "failed" || (enclosure?.state === "ready" && image?.state === "failed");
}
