import type { FeedEpisode, FeedShow } from "./feed-model.ts";
import { block, emptyElement, line, parentElement, textElement } from "./xml-write.ts";

/** One episode as an element of its feed. @throws TypeError when an address is not absolute */
export function feedItem(show: FeedShow, episode: FeedEpisode): string {
  const { enclosure, seconds, season, episode: number, kind } = episode;
  const title = line(episode.title);
  return parentElement("item", [
    textElement("title", title),
    textElement("link", address(episode.link)),
    textElement("description", block(episode.text) || title),
    textElement("guid", line(episode.guid), { isPermaLink: "false" }),
    textElement("pubDate", episode.publishedAt.toUTCString()),
    emptyElement("enclosure", { url: address(enclosure.url), length: String(enclosure.bytes), type: enclosure.mime }),
    textElement("content:encoded", block(episode.html)),
    textElement("itunes:title", title),
    textElement("itunes:author", line(show.author)),
    textElement("itunes:duration", seconds ? String(Math.max(1, Math.round(seconds))) : ""),
    textElement("itunes:explicit", String(episode.explicit ?? show.explicit)),
    textElement("itunes:episodeType", kind ?? "full"),
    episode.imageUrl ? emptyElement("itunes:image", { href: address(episode.imageUrl) }) : "",
    season === undefined ? "" : textElement("itunes:season", String(season)),
    number === undefined ? "" : textElement("itunes:episode", String(number)),
    episode.hidden ? textElement("itunes:block", "Yes") : "",
    episode.narrated ? textElement("podcast:txt", "true", { purpose: "ai-content" }) : "",
    ...(episode.transcripts ?? []).map(({ url, mime, language }) =>
      emptyElement("podcast:transcript", { url: address(url), type: mime, language }),
    ),
  ]);
}

/** ASCII. @throws TypeError when it is not absolute */
export function address(url: string): string {
  return new URL(url).href;
}
