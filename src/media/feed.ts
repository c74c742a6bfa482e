import { address, feedItem } from "./feed-item.ts";
import type { FeedCategory, FeedEpisode, FeedInput, FeedPaging } from "./feed-model.ts";
import { uuidV5 } from "./uuid.ts";
import { block, emptyElement, line, parentElement, textElement } from "./xml-write.ts";

/** Podcasting 2.0 names feeds in this namespace. */
const PODCAST_NAMESPACE = "ead4c236-bf58-58c6-a2c6-a6b28d128cb6";
const FEED_TYPE = "application/rss+xml";

const namespaces = {
  "xmlns:itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
  "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
  "xmlns:podcast": "https://podcastindex.org/namespace/1.0",
  "xmlns:atom": "http://www.w3.org/2005/Atom",
  "xmlns:fh": "http://purl.org/syndication/history/1.0",
} as const;

/** The id under which Podcasting 2.0 knows a feed: derived from its address without scheme and trailing slashes. */
export function podcastGuid(feedUrl: string): string {
  return uuidV5(feedUrl.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/\/+$/, ""), PODCAST_NAMESPACE);
}

/**
 * RSS 2.0 with the itunes, content, podcast and atom namespaces, valid for Apple and Spotify. Written straight down: a general
 * generator took a millisecond an episode, and a show has thousands.
 * @returns the XML document
 * @throws Error when two episodes share a guid or an address is not absolute: the caller's rows are broken
 */
export function buildFeed(input: FeedInput): string {
  refuseSharedGuids(input.episodes);
  const episodes = input.episodes.toSorted((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime() || (a.guid < b.guid ? -1 : 1));
  const items = episodes.map((episode) => feedItem(input.show, episode));
  const channel = parentElement("channel", [...describeShow(input, episodes[0]?.publishedAt), ...items]);
  return `<?xml version="1.0" encoding="utf-8"?>\n${parentElement("rss", [channel], { version: "2.0", ...namespaces })}`;
}

function describeShow({ show, feedUrl, generator, builtAt, paging }: FeedInput, newest: Date | undefined): string[] {
  const [title, link, image] = [line(show.title), address(show.link), show.imageUrl === null ? "" : address(show.imageUrl)];
  const email = line(show.ownerEmail ?? "");
  return [
    textElement("title", title),
    textElement("link", link),
    textElement("description", block(show.description) || title),
    textElement("language", show.language),
    textElement("copyright", line(show.copyright ?? "")),
    textElement("generator", line(generator)),
    textElement("pubDate", (newest ?? builtAt)?.toUTCString() ?? ""),
    textElement("lastBuildDate", (builtAt ?? newest)?.toUTCString() ?? ""),
    image ? parentElement("image", [textElement("url", image), textElement("title", title), textElement("link", link)]) : "",
    linkElement("self", feedUrl),
    ...(paging ? pageLinks(paging) : []),
    textElement("itunes:author", line(show.author)),
    email
      ? parentElement("itunes:owner", [textElement("itunes:name", line(show.ownerName ?? show.author)), textElement("itunes:email", email)])
      : "",
    image ? emptyElement("itunes:image", { href: image }) : "",
    ...show.categories.map(categoryElement),
    textElement("itunes:explicit", String(show.explicit)),
    textElement("itunes:type", show.type ?? "episodic"),
    show.hidden ? textElement("itunes:block", "Yes") : "",
    show.complete ? textElement("itunes:complete", "Yes") : "",
    show.newFeedUrl ? textElement("itunes:new-feed-url", address(show.newFeedUrl)) : "",
    textElement("podcast:guid", line(show.podcastGuid ?? "") || podcastGuid(paging?.current ?? feedUrl)),
    textElement("podcast:locked", show.locked ? "yes" : "no", { owner: email || undefined }),
    textElement("podcast:medium", "podcast"),
  ];
}

/** `first` to `last` are for readers that know pages only, the `-archive` ones for those that keep what they have. */
function pageLinks({ archive, current, older, newer, oldest }: FeedPaging): string[] {
  return [
    archive ? emptyElement("fh:archive") : "",
    archive ? linkElement("current", current) : "",
    older === null ? "" : linkElement("prev-archive", older),
    newer === null ? "" : linkElement("next-archive", newer),
    linkElement("first", current),
    archive ? linkElement("previous", newer ?? current) : "",
    older === null ? "" : linkElement("next", older),
    linkElement("last", oldest),
  ];
}

function linkElement(rel: string, url: string): string {
  return emptyElement("atom:link", { href: address(url), rel, type: FEED_TYPE });
}

function categoryElement({ name, sub }: FeedCategory): string {
  return sub
    ? parentElement("itunes:category", [emptyElement("itunes:category", { text: sub })], { text: name })
    : emptyElement("itunes:category", { text: name });
}

function refuseSharedGuids(episodes: readonly FeedEpisode[]): void {
  const seen = new Set<string>();
  for (const { guid, title } of episodes) {
    if (seen.has(guid)) throw new Error(`two episodes of the feed share the guid ${guid}, one of them is "${title}"`);
    seen.add(guid);
  }
}
