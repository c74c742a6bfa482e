import { html as xml } from "ghtml";
import { xmlText } from "../../../src/media/xml-text.ts";
import type { Episode, Show } from "./shows.ts";
import type { Uploads } from "./uploads.ts";

/** Addresses in the feed. */
export interface FeedLinks {
  /** e.g. "http://127.0.0.1:41234" */
  origin: string;
  /** The feed's own path. */
  self: string;
  /** An episode's public page, a path. */
  episode(episode: Episode): string;
}

/** RSS 2.0 with the itunes and content namespaces, newest first; a guid never changes. */
export function renderFeed(show: Show, episodes: readonly Episode[], uploads: Uploads, { origin, self, episode: path }: FeedLinks): string {
  const items = episodes.map((episode) => {
    const { id, title, about, audio, cover, publishedAt } = episode;
    return xml`<item>
      <title>${xmlText(title)}</title>
      <guid isPermaLink="false">${id}</guid>
      <link>${origin}${path(episode)}</link>
      <pubDate>${new Date(publishedAt).toUTCString()}</pubDate>
      <content:encoded>${xmlText(about)}</content:encoded>
      !${audio ? xml`<enclosure url="${origin}${uploads.path(audio)}" length="${audio.bytes.length}" type="${audio.type}"/>` : ""}
      !${cover ? xml`<itunes:image href="${origin}${uploads.path(cover)}"/>` : ""}
    </item>`;
  });
  const owner = show.feedEmail ? xml`<itunes:owner><itunes:email>${show.feedEmail}</itunes:email></itunes:owner>` : "";
  return xml`<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom">
  <channel>
    <title>${xmlText(show.title)}</title>
    <atom:link rel="self" type="application/rss+xml" href="${origin}${self}"/>
    !${owner}
    !${items}
  </channel>
</rss>
`;
}
