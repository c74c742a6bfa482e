import { buildFeed, type FeedEpisode } from "../media/feed.ts";
import type { StudioContext } from "./context.ts";
import type { EpisodeRow, Episodes } from "./episodes.ts";
import { publicLink } from "./publishing.ts";
import { aboutText } from "./rich-text.ts";
import type { ShowsTable } from "./schema.ts";

export function feedUrl(context: StudioContext, show: Pick<ShowsTable, "name">): string {
  return `${context.publicUrl}/feeds/${show.name}.xml`;
}

/** The show's feed as the world sees it now, with the time of its last change. */
export async function renderFeed(context: StudioContext, episodes: Episodes, show: ShowsTable): Promise<{ xml: string; changedAt: Date }> {
  const published = await episodes.listPublished(show);
  const cover = show.cover ? await episodes.asset(show, show.cover) : null;
  const xml = buildFeed({
    show: {
      title: show.title,
      description: show.description,
      link: `${context.publicUrl}/s/${show.name}`,
      language: show.language,
      author: show.author,
      ownerEmail: show.owner_email || null,
      imageUrl: mediaUrl(context, cover?.path ?? ""),
      categories: [{ name: show.category }],
      explicit: show.explicit,
      locked: show.locked,
    },
    episodes: published.flatMap((episode) => feedEpisode(context, show, episode)),
    feedUrl: feedUrl(context, show),
    generator: `Podcrew Studio ${context.version}`,
  });
  const changedAt = Math.max(show.updated_at.getTime(), ...published.map((episode) => episode.updated_at.getTime()));
  return { xml, changedAt: new Date(changedAt) };
}

export function mediaUrl(context: StudioContext, path: string): string {
  return `${context.publicUrl}/media/${path}`;
}

function feedEpisode(context: StudioContext, show: ShowsTable, episode: EpisodeRow): FeedEpisode[] {
  const { audioPath, audioBytes, audioMime, audioSeconds, published_at: publishedAt } = episode;
  if (!audioPath || audioBytes === null || !audioMime || audioSeconds === null || !publishedAt) return [];
  return [
    {
      guid: episode.guid,
      title: episode.title,
      link: publicLink(context, show, episode),
      html: episode.about_html,
      text: aboutText(episode.about_html),
      publishedAt,
      enclosure: { url: mediaUrl(context, audioPath), bytes: audioBytes, mime: audioMime },
      seconds: audioSeconds,
      imageUrl: episode.coverPath ? mediaUrl(context, episode.coverPath) : null,
      narrated: episode.machine_voice,
    },
  ];
}
