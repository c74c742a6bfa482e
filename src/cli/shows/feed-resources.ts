import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { z } from "zod";
import { MAX_SUMMARY_CHARACTERS, MAX_TITLE_CHARACTERS, type episodeInput, type showInput } from "../../contract/podops-resource.ts";
import { appleCategories } from "../../media/apple-categories.ts";
import { cutAtWord } from "../../media/cut.ts";
import { fitTitle } from "../../media/title.ts";
import { line } from "../../media/xml-write.ts";
import { slugify } from "../../studio/ids.ts";
import type { ParsedFeed } from "./fetch-feed.ts";

export type ShowOfFeed = z.input<typeof showInput>;
export type EpisodeOfFeed = z.input<typeof episodeInput> & { metadata: { name: string } };

type Item = NonNullable<ParsedFeed["items"]>[number];

const SUMMARY_MAX_CHARACTERS = 4000;
const NAME = { min: 8, max: 44 } as const;
const FALLBACK_CATEGORY = "Society & Culture";

/** A name for the production, made of the feed's title: the same each time. */
export function nameOf(feed: ParsedFeed, address: string): string {
  const slug = slugify(feed.title ?? "")
    .slice(0, NAME.max)
    .replace(/-+$/, "");
  return slug.length >= NAME.min ? slug : [slug, digest(address, NAME.min)].filter(Boolean).join("-");
}

export function showResource(feed: ParsedFeed, name: string): ShowOfFeed {
  const { itunes, podcast } = feed;
  const [email, author] = [itunes?.owner?.email ?? podcast?.locked?.owner, itunes?.author ?? itunes?.owner?.name];
  const image = itunes?.image ?? feed.image?.url;
  return {
    apiVersion: "v1",
    kind: "show",
    metadata: {
      name,
      labels: labelsOf({
        language: languageOf(feed.language),
        explicit: itunes?.explicit,
        type: itunes?.type?.toLowerCase(),
        block: itunes?.block,
        complete: itunes?.complete,
        guid: podcast?.guid?.trim(),
      }),
    },
    description: {
      title: titleOf(feed.title, name),
      summary: cutAtWord(feed.description ?? itunes?.summary ?? "", SUMMARY_MAX_CHARACTERS),
      ...(feed.link && { link: { uri: feed.link } }),
      category: categoriesOf(feed),
      ...(email && { owner: { name: itunes?.owner?.name ?? author ?? "", email } }),
      ...(author && { author }),
      ...(feed.copyright && { copyright: feed.copyright }),
    },
    ...(image && { image: { uri: image, rel: "import" } }),
  };
}

/** Only what has a recording is an episode; each guid counts once, where it comes first. */
export function episodeResources(items: readonly Item[]): EpisodeOfFeed[] {
  const byName = new Map<string, EpisodeOfFeed>();
  for (const item of items) {
    const [recording] = item.enclosures ?? [];
    if (!recording?.url) continue;
    const guid = line(item.guid?.value ?? "") ? (item.guid?.value ?? "") : recording.url;
    const name = episodeName(guid);
    if (!byName.has(name)) byName.set(name, episodeResource(item, { ...recording, url: recording.url }, guid, name));
  }
  return [...byName.values()];
}

/** So that the same episode of a feed is the same resource, whenever it is imported. */
export function episodeName(guid: string): string {
  return `feed-${digest(guid, 24)}`;
}

function episodeResource(
  item: Item,
  { url, length, type }: { url: string; length?: number | undefined; type?: string | undefined },
  guid: string,
  name: string,
): EpisodeOfFeed {
  const { itunes } = item;
  const date = Date.parse(item.pubDate ?? "");
  return {
    apiVersion: "v1",
    kind: "episode",
    metadata: {
      name,
      ...(!Number.isNaN(date) && { date: new Date(date).toUTCString() }),
      labels: labelsOf({
        // As every feed says it. The name is made of what was read, so that one imported before is known again.
        guid: line(guid),
        season: itunes?.season,
        episode: itunes?.episode,
        explicit: itunes?.explicit,
        type: itunes?.episodeType?.toLowerCase(),
        block: itunes?.block,
      }),
    },
    description: {
      title: titleOf(item.title ?? itunes?.title, basename(URL.parse(url)?.pathname ?? name)),
      summary: aboutOf(item),
      ...(item.link && { link: { uri: item.link } }),
      ...(itunes?.duration && { duration: Math.round(itunes.duration) }),
    },
    ...(itunes?.image && { image: { uri: itunes.image, rel: "import" } }),
    enclosure: {
      uri: url,
      rel: "import",
      ...(type && { type }),
      ...(length && { size: length }),
      ...(itunes?.duration && { duration: Math.round(itunes.duration) }),
    },
  };
}

/** HTML where the feed has some. What is longer than the studio takes is left out after a whole word. */
function aboutOf(item: Item): string {
  const html = item.content?.encoded ?? item.description ?? item.itunes?.summary ?? "";
  return cutAtWord(html, MAX_SUMMARY_CHARACTERS);
}

function titleOf(title: string | undefined, otherwise: string): string {
  return fitTitle(title?.trim() || otherwise, MAX_TITLE_CHARACTERS).title;
}

function categoriesOf({ itunes }: ParsedFeed): { name: string; subcategory: string[] }[] {
  const known = (itunes?.categories ?? []).flatMap(({ text = "", categories: below = [] }) => {
    const name = Object.keys(appleCategories).find((one) => one.toLowerCase() === text.trim().toLowerCase());
    return name ? [{ name, subcategory: below.flatMap((one) => one.text?.trim() || []) }] : [];
  });
  return known.length > 0 ? known : [{ name: FALLBACK_CATEGORY, subcategory: [] }];
}

/** "EN_us" -> "en-us" */
function languageOf(tag: string | undefined): string | undefined {
  return tag?.trim().toLowerCase().replaceAll("_", "-");
}

/** Labels are strings; what a feed does not say has none. What they may say, the studio's own rules know. */
function labelsOf(values: Record<string, string | number | boolean | undefined>): Record<string, never> {
  const said = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(said.map(([name, value]) => [name, String(value)])) as Record<string, never>;
}

function digest(text: string, characters: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, characters);
}
