import { podcastGuid } from "../media/feed.ts";
import type { FeedEpisode, FeedShow } from "../media/feed-model.ts";
import type { StudioContext } from "./context.ts";
import { pageUrl, type FeedRow } from "./feed-pages.ts";
import { publicLink } from "./publishing.ts";
import { categoriesOf, detailsOfEpisode, detailsOfShow } from "./resources/details.ts";
import { aboutText } from "./rich-text.ts";
import type { ShowsTable } from "./schema.ts";
import { transcriptKinds } from "./transcripts.ts";

type Named = Pick<ShowsTable, "name">;

export function feedUrl(context: Pick<StudioContext, "publicUrl">, show: Named): string {
  return pageUrl(context, show, 0);
}

/** @param path of a file of ours, not empty; an address of somebody else's stays as it is */
export function mediaUrl(context: Pick<StudioContext, "publicUrl">, path: string): string {
  return /^https?:\/\//.test(path) ? path : `${context.publicUrl}/media/${path}`;
}

/** The id under which Podcasting 2.0 knows the show: its own, else the first that was told, else the one of the feed's address. */
export function showGuid(context: StudioContext, show: ShowsTable, told: string | null | undefined): string {
  return show.podcast_guid ?? told ?? podcastGuid(feedUrl(context, show));
}

/** @param coverPath "" where there is none. @param told the guid that earlier builds wrote */
export function feedShow(context: StudioContext, show: ShowsTable, coverPath: string, told: string | null | undefined): FeedShow {
  const { link, ownerName, copyright, newFeed, type, block, complete } = detailsOfShow(show);
  return {
    title: show.title,
    description: show.description,
    link: link || `${context.publicUrl}/s/${show.name}`,
    language: show.language,
    author: show.author,
    ...(ownerName && { ownerName }),
    ownerEmail: show.owner_email || null,
    imageUrl: coverPath ? mediaUrl(context, coverPath) : null,
    categories: categoriesOf(show).map(({ name, subcategory: [sub] }) => ({ name, ...(sub && { sub }) })),
    explicit: show.explicit,
    locked: show.locked,
    ...(copyright && { copyright }),
    type,
    hidden: block,
    complete,
    ...(newFeed && { newFeedUrl: newFeed }),
    podcastGuid: showGuid(context, show, told),
  };
}

export function feedEpisode(context: StudioContext, show: ShowsTable, row: FeedRow): FeedEpisode {
  const { link, type: kind, season, episode, explicit, block } = detailsOfEpisode(row);
  const text = aboutText(row.about_html);
  const read = row.machine_voice && text !== "";
  return {
    guid: row.feed_guid ?? row.guid,
    title: row.title,
    link: link || publicLink(context, show, row),
    html: row.about_html,
    text,
    publishedAt: row.published_at ?? row.created_at,
    enclosure: { url: mediaUrl(context, row.audioPath), bytes: row.audioBytes, mime: row.audioMime },
    seconds: row.audioSeconds,
    imageUrl: row.coverPath ? mediaUrl(context, row.coverPath) : null,
    narrated: row.machine_voice,
    kind,
    hidden: block,
    ...(explicit !== undefined && { explicit }),
    ...(season !== undefined && { season }),
    ...(episode !== undefined && { episode }),
    ...(read && {
      transcripts: transcriptKinds.map(({ ending, mime }) => ({
        url: `${context.publicUrl}/transcripts/${show.name}/${row.guid}.${ending}`,
        mime,
        language: show.language,
      })),
    }),
  };
}
