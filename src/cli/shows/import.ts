import { styleText } from "node:util";
import { showInput } from "../../contract/podops-resource.ts";
import { UsageError, type Config } from "../../kit/config.ts";
import type { PodopsClient } from "../../kit/podops-client.ts";
import { counted } from "../progress.ts";
import { harmless } from "../table.ts";
import { episodeResources, nameOf, showResource } from "./feed-resources.ts";
import { fetchFeed, olderPages, parseFeedOf, type FetchedFeed, type ParsedFeed } from "./fetch-feed.ts";
import { fitResource } from "./fit-resource.ts";
import { askForCover, readShow, untilCover } from "./import-cover.ts";
import { bringEpisodes, episodesOf, untilFetched, type Failed } from "./import-episodes.ts";
import { askStudio } from "./studio-client.ts";

export interface ImportOptions {
  /** Of the production; absent: made of the feed's title. */
  name?: string;
  as?: string;
  /** The feed is locked, and whoever imports it says that it is theirs. */
  mine?: boolean;
  json?: boolean;
}

interface Imported {
  show: string;
  page: string;
  feed: string;
  /** In the feed. */
  episodes: number;
  made: number;
  there: number;
  failed: Failed[];
  /** Fields that no studio takes, as "description.owner of the show". */
  left: string[];
}

const SHOWN = 20;
/** A label of the show: what it was imported from, so that two feeds never become one show. */
const SOURCE_LABEL = "imported-from";

/**
 * All episodes and files of a feed, as a show of the studio: texts, dates, numbers and guids as they were. Run again it goes on where
 * it was broken off and brings in what is new; what is there already stays as it is.
 * @returns 1 when something could not be brought in
 */
export async function importShow(config: Config, address: string, options: ImportOptions): Promise<number> {
  const first = await fetchFeed(address);
  const feed = parseFeedOf(first);
  refuseLocked(feed, options);
  const source = first.url || address;
  const episodes = episodeResources(await itemsOf(first, feed));
  const name = options.name ?? nameOf(feed, source);
  const { studio, url } = await askStudio(config, options.as);
  const { guid } = await studio.createProduction({ body: { name } });
  const [failed, left]: [Failed[], string[]] = [[], []];
  await bringShow(studio, feed, { guid, name, source }, left);
  const there = await episodesOf(studio, guid);
  const fresh = episodes.filter((one) => !there.has(one.metadata.name));
  await bringEpisodes(studio, guid, fresh, failed, left);
  await untilFetched(studio, guid, episodes, failed, left);
  await untilCover(studio, guid, left);
  const built = await studio.build({ body: { guid } });
  const missing = new Set(failed.map((one) => one.name));
  const result: Imported = {
    show: name,
    page: `${url}/s/${name}`,
    feed: "feed" in built ? built.feed : "",
    episodes: episodes.length,
    made: fresh.filter((one) => !missing.has(one.metadata.name)).length,
    there: episodes.filter((one) => there.has(one.metadata.name) && !missing.has(one.metadata.name)).length,
    failed,
    left,
  };
  report(result, options.json ?? false);
  return failed.length > 0 ? 1 : 0;
}

/** @throws UsageError */
function refuseLocked({ podcast, itunes }: ParsedFeed, { mine }: ImportOptions): void {
  if (podcast?.locked?.value !== true || mine) return;
  const owner = podcast.locked.owner ?? itunes?.owner?.email;
  throw new UsageError(
    `The feed is locked: its owner${owner ? ` (${harmless(owner)})` : ""} lets no other host take it over. If that is you, say so by --mine, or unlock it there first.`,
  );
}

async function itemsOf(first: FetchedFeed, feed: ParsedFeed): Promise<NonNullable<ParsedFeed["items"]>> {
  const items = [...(feed.items ?? [])];
  for await (const page of olderPages(first)) items.push(...(parseFeedOf(page).items ?? []));
  return items;
}

/**
 * Makes the show where there is none, and asks for its cover.
 * @throws UsageError when a show of another origin has that name
 */
async function bringShow(
  studio: PodopsClient,
  feed: ParsedFeed,
  { guid, name, source }: { guid: string; name: string; source: string },
  left: string[],
): Promise<void> {
  const params = { prod: guid, kind: "show", id: guid } as const;
  const there = await readShow(studio, guid);
  if (there && there.metadata.labels[SOURCE_LABEL] !== source)
    throw new UsageError(`There is a show named ${name} that was not imported from this feed. Choose another name for it: --name NAME`);
  const wanted = showResource(feed, name);
  const { resource, left: dropped, problem } = fitResource(showInput, { ...wanted, metadata: labelled(wanted.metadata, source) });
  if (problem && !there) throw new UsageError(`The feed's show can't be made: ${problem}.`);
  const { image, ...plain } = resource;
  if (!there) left.push(...dropped.map((field) => `${field} of the show`));
  const show = there ?? (await studio.createResource({ params, body: { ...plain, kind: "show" } }));
  if (image && show.kind === "show") await askForCover(studio, show, image);
}

function labelled(metadata: ReturnType<typeof showResource>["metadata"], source: string): ReturnType<typeof showResource>["metadata"] {
  return { ...metadata, labels: { ...metadata?.labels, [SOURCE_LABEL]: source } };
}

function report(result: Imported, json: boolean): void {
  if (json) return void process.stdout.write(`${JSON.stringify(result)}\n`);
  const { show, page, feed, episodes, made, there, failed, left } = result;
  for (const { title, problem } of failed.slice(0, SHOWN))
    process.stderr.write(`${styleText("yellow", `${harmless(title)}: ${harmless(problem)}`, { stream: process.stderr })}\n`);
  if (failed.length > SHOWN) process.stderr.write(`… and ${(failed.length - SHOWN).toLocaleString("en")} more that are not in.\n`);
  if (left.length > 0)
    process.stderr.write(`Left out: ${left.slice(0, SHOWN).map(harmless).join("; ")}${left.length > SHOWN ? "; …" : ""}\n`);
  const so = counted({ "brought in": made, "there already": there, "not in": failed.length });
  process.stdout.write(
    `${show}: ${episodes.toLocaleString("en")} episodes in the feed${so && `, ${so}`}.\nIts page: ${page}\nIts feed: ${feed}\n`,
  );
  if (failed.length > 0) process.stderr.write("Run the command again for those that are not in; nothing is made twice.\n");
  return undefined;
}
