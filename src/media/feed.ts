import { generateRssFeed } from "feedsmith";
import { uuidV5 } from "./uuid.ts";
import { xmlText } from "./xml-text.ts";

/** Podcasting 2.0 names feeds in this namespace. */
const PODCAST_NAMESPACE = "ead4c236-bf58-58c6-a2c6-a6b28d128cb6";

export interface FeedShow {
  title: string;
  /** Plain text or light HTML. */
  description: string;
  /** The show's page, absolute. */
  link: string;
  /** BCP 47, e.g. "vi" or "en". */
  language: string;
  author: string;
  /** Directories mail this address to prove who owns the feed; null keeps it out (readers harvest it). */
  ownerEmail: string | null;
  /** Absolute; square JPEG or PNG of 1400-3000 px. */
  imageUrl: string;
  /** From Apple's list, e.g. {name: "Technology"} or {name: "Society & Culture", sub: "Documentary"}; at least one. */
  categories: readonly FeedCategory[];
  explicit: boolean;
  /** Other hosts are asked not to import the feed. */
  locked: boolean;
  copyright?: string;
  /** "episodic" (newest first, the default) or "serial". */
  type?: "episodic" | "serial";
  /** UUID; absent: derived from the feed's address. Give the first one again once the address has moved, it must never change. */
  podcastGuid?: string;
}

export interface FeedCategory {
  name: string;
  sub?: string;
}

export interface FeedEpisode {
  /** Unique in the show and never changed; players take a new one for a new episode. */
  guid: string;
  title: string;
  /** The episode's page, absolute. */
  link: string;
  /** Sanitised HTML, as shown by players. */
  html: string;
  /** The same as plain text. */
  text: string;
  publishedAt: Date;
  enclosure: { url: string; bytes: number; mime: string };
  seconds: number;
  /** Absolute; null: the show's. */
  imageUrl: string | null;
  /** Absent: the show's. */
  explicit?: boolean;
  /** A machine read the text: said in the feed (`podcast:txt purpose="ai-content"`). */
  narrated: boolean;
  season?: number;
  episode?: number;
  transcripts?: readonly { url: string; mime: string; language?: string }[];
}

export interface FeedInput {
  show: FeedShow;
  /** Any order; the feed is newest first. Leave out what is not published yet. */
  episodes: readonly FeedEpisode[];
  /** The feed's own address. */
  feedUrl: string;
  /** Named in the feed, e.g. "Podcrew 0.1.0". */
  generator: string;
  /** Absent: the newest episode's date, so that the same input gives the same bytes (and the same ETag). */
  builtAt?: Date;
}

/** The id under which Podcasting 2.0 knows a feed: derived from its address without scheme and trailing slashes. */
export function podcastGuid(feedUrl: string): string {
  return uuidV5(feedUrl.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/\/+$/, ""), PODCAST_NAMESPACE);
}

/**
 * RSS 2.0 with the itunes, content, podcast and atom namespaces, valid for Apple and Spotify.
 * @returns the XML document
 * @throws Error when two episodes share a guid or an address is not absolute: the caller's rows are broken
 */
export function buildFeed(input: FeedInput): string {
  refuseSharedGuids(input.episodes);
  const { show } = input;
  const episodes = input.episodes.toSorted((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime() || (a.guid < b.guid ? -1 : 1));
  const builtAt = input.builtAt ?? episodes[0]?.publishedAt;
  const image = address(show.imageUrl);
  const xml = generateRssFeed(
    {
      title: line(show.title),
      link: address(show.link),
      description: block(show.description) || line(show.title),
      language: show.language,
      ...(show.copyright && { copyright: line(show.copyright) }),
      generator: line(input.generator),
      ...(builtAt && { lastBuildDate: builtAt, pubDate: episodes[0]?.publishedAt ?? builtAt }),
      image: { url: image, title: line(show.title), link: address(show.link) },
      atom: { links: [{ href: address(input.feedUrl), rel: "self", type: "application/rss+xml" }] },
      itunes: {
        author: line(show.author),
        ...(show.ownerEmail && { owner: { name: line(show.author), email: line(show.ownerEmail) } }),
        image,
        categories: show.categories.map(({ name, sub }) => ({ text: line(name), ...(sub && { categories: [{ text: line(sub) }] }) })),
        explicit: show.explicit,
        type: show.type ?? "episodic",
      },
      podcast: {
        guid: show.podcastGuid ?? podcastGuid(input.feedUrl),
        locked: { value: show.locked, ...(show.ownerEmail && { owner: line(show.ownerEmail) }) },
        medium: "podcast",
      },
      items: episodes.map((episode) => feedItem(show, episode)),
    },
    { strict: true },
  );
  return tidy(xml);
}

function feedItem(show: FeedShow, episode: FeedEpisode) {
  const { enclosure } = episode;
  return {
    title: line(episode.title),
    link: address(episode.link),
    description: block(episode.text) || line(episode.title),
    guid: { value: line(episode.guid), isPermaLink: false },
    pubDate: episode.publishedAt,
    enclosures: [{ url: address(enclosure.url), length: enclosure.bytes, type: enclosure.mime }],
    content: { encoded: block(episode.html) },
    itunes: {
      title: line(episode.title),
      author: line(show.author),
      duration: Math.max(1, Math.round(episode.seconds)),
      explicit: episode.explicit ?? show.explicit,
      episodeType: "full",
      ...(episode.imageUrl && { image: address(episode.imageUrl) }),
      ...(episode.season !== undefined && { season: episode.season }),
      ...(episode.episode !== undefined && { episode: episode.episode }),
    },
    podcast: {
      ...(episode.narrated && { txts: [{ display: "true", purpose: "ai-content" }] }),
      ...(episode.transcripts && {
        transcripts: episode.transcripts.map(({ url, mime, language }) => ({
          url: address(url),
          type: mime,
          ...(language && { language }),
        })),
      }),
    },
  };
}

function refuseSharedGuids(episodes: readonly FeedEpisode[]): void {
  const seen = new Set<string>();
  for (const { guid, title } of episodes) {
    if (seen.has(guid)) throw new Error(`two episodes of the feed share the guid ${guid}, one of them is "${title}"`);
    seen.add(guid);
  }
}

/** ASCII, absolute. */
function address(url: string): string {
  return new URL(url).href;
}

/** Survives the generator, which turns `&apos;` into an apostrophe also where it is the author's text. xmlText has freed the mark. */
const APOSTROPHE_MARK = "\uFDD0";

function block(text: string): string {
  return xmlText(text).replaceAll("&apos;", `&${APOSTROPHE_MARK}apos;`);
}

function line(text: string): string {
  return block(text).replace(/\s+/g, " ").trim();
}

/**
 * The generator indents around CDATA, which would become part of titles, and says yes/no where Apple asks for true/false.
 * CDATA sections are matched whole, so the author's text is never touched.
 */
function tidy(xml: string): string {
  return xml
    .replace(
      /\s*<!\[CDATA\[([\s\S]*?)\]\]>\s*|<itunes:explicit>(yes|no)<\/itunes:explicit>/g,
      (_all, text: string | undefined, explicit: string | undefined) =>
        explicit === undefined ? `<![CDATA[${text ?? ""}]]>` : `<itunes:explicit>${explicit === "yes"}</itunes:explicit>`,
    )
    .replaceAll(APOSTROPHE_MARK, "");
}
