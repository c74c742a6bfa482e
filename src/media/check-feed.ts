import {
  children,
  isWebAddress,
  linkOf,
  quoted,
  textOf,
  type FeedRule,
  type FindingLevel,
  type Seen,
  type WhoAsks,
} from "./check-feed-rules.ts";
import { directoryRules } from "./check-feed-directory.ts";
import { episodeRules } from "./check-feed-episode.ts";
import { recordingRules } from "./check-feed-recording.ts";
import { showRules } from "./check-feed-show.ts";
import { readXml, XmlProblem, type XmlElement } from "./xml-read.ts";

/** A rule that the feed breaks; once for the show, once for all episodes that break it. */
export interface FeedFinding {
  /** e.g. "episode.guid.shared"; stays the same from version to version. */
  code: string;
  level: FindingLevel;
  asks: WhoAsks;
  /** "the show", or the first episode concerned by its title. */
  where: string;
  /** Of the document, from 1. */
  line: number;
  /** What is wrong, one sentence. */
  say: string;
  /** What to do about it, one sentence. */
  fix: string;
  /** How many episodes break the rule; 1 for the show's own. */
  times: number;
}

export interface FeedReport {
  /** Nothing is an error. */
  valid: boolean;
  /** "" where the feed does not say. */
  title: string;
  link: string;
  /** Of this document. */
  episodes: number;
  /** Address of the page with the next older episodes (RFC 5005); null: this is the last. */
  older: string | null;
  /** Errors first, then in the order of the rules. */
  findings: FeedFinding[];
}

const prefixes: ReadonlyMap<string, string> = new Map([
  ["http://www.itunes.com/dtds/podcast-1.0.dtd", "itunes"],
  ["http://purl.org/rss/1.0/modules/content/", "content"],
  ["http://www.w3.org/2005/atom", "atom"],
  ["http://purl.org/syndication/history/1.0", "fh"],
  ["https://podcastindex.org/namespace/1.0", "podcast"],
  ["https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md", "podcast"],
]);
const levels: readonly FindingLevel[] = ["error", "warning", "hint"];

const rules = { show: [...showRules, ...directoryRules], episode: [...recordingRules, ...episodeRules] } as const;

/** All rules, for the documentation. */
export const feedRules: readonly FeedRule[] = [...rules.show, ...rules.episode];

/**
 * What directories and apps would say to a feed: XML, RSS 2.0, Apple's and Spotify's rules, Podcasting 2.0, RFC 5005. Looks at the
 * document only; whether its files can be fetched is another question.
 * @param url where the document was read
 */
export function checkFeed(xml: string, { url, now = Date.now() }: { url?: string; now?: number } = {}): FeedReport {
  const read = channelOf(xml);
  if (!("children" in read)) return { valid: false, title: "", link: "", episodes: 0, older: null, findings: [read] };
  const items = children(read, "item");
  const guids = Map.groupBy(items, (item) => textOf(item, "guid"));
  const base = { channel: read, items, guids: new Map([...guids].map(([guid, all]) => [guid, all.length])), url: url ?? null, now };
  const findings = [
    ...rules.show.flatMap((rule) => applied(rule, { ...base, element: read }, "the show")),
    ...rules.episode.flatMap((rule) =>
      merged(items.flatMap((element, index) => applied(rule, { ...base, element }, nameOf(element, index)))),
    ),
  ];
  const older = linkOf(read, "prev-archive") || linkOf(read, "next");
  return {
    valid: findings.every(({ level }) => level !== "error"),
    title: textOf(read, "title"),
    link: textOf(read, "link"),
    episodes: items.length,
    older: isWebAddress(older) ? older : null,
    findings: findings.toSorted((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level)),
  };
}

function applied({ code, level, asks, fix, broken }: FeedRule, seen: Seen, where: string): FeedFinding[] {
  const say = broken(seen);
  return say === null ? [] : [{ code, level, asks, where, line: seen.element.line, say, fix, times: 1 }];
}

function merged(findings: readonly FeedFinding[]): FeedFinding[] {
  const [first] = findings;
  return first ? [{ ...first, times: findings.length }] : [];
}

function nameOf(item: XmlElement, index: number): string {
  const title = textOf(item, "title") || textOf(item, "itunes:title");
  return title ? `episode ${quoted(title)}` : `episode ${index + 1}`;
}

/** The channel of an RSS feed, or why it is none. */
function channelOf(xml: string): XmlElement | FeedFinding {
  const about = { level: "error" as const, where: "the document", times: 1 };
  try {
    const root = readXml(xml, prefixes);
    const channel = root.name === "rss" ? children(root, "channel")[0] : undefined;
    if (channel) return channel;
    const say = root.name === "rss" ? "The feed has no channel." : `The document is no RSS feed: it begins with <${root.name}>.`;
    return {
      ...about,
      code: "rss.missing",
      asks: "RSS",
      line: root.line,
      say,
      fix: 'Give the address of the feed itself: <rss version="2.0">.',
    };
  } catch (error) {
    if (!(error instanceof XmlProblem)) throw error;
    const fix = "Let a program write the XML, or escape the text: &amp; for &, &lt; for <.";
    return { ...about, code: "xml.broken", asks: "XML", line: error.line, say: `The document is not well-formed: ${error.message}.`, fix };
  }
}
