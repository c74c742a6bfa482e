import type { AssetAnswer, AssetResource, EpisodeResource, ShowResource } from "../../contract/podops-resource.ts";
import type { StudioContext } from "../context.ts";
import type { EpisodeRow } from "../episodes.ts";
import { publicLink } from "../publishing.ts";
import type { AssetsTable, ProductionsTable, ShowsTable } from "../schema.ts";
import { texts } from "../texts.ts";
import { categoriesOf, detailsOfEpisode, detailsOfShow } from "./details.ts";
import { nameOf, type AssetRow } from "./find.ts";
import { summaryOf } from "./summary.ts";

/** Rows as the API shows them. */

const states = { waiting: "waiting", processing: "processing", ready: "ready", refused: "failed" } as const;
const isYes = (text: string | undefined): boolean => /^(true|yes)$/i.test(text ?? "");

/** Where anybody gets a file; "" while there is none. */
export function assetUrl({ publicUrl }: StudioContext, { path, state }: Pick<AssetsTable, "path" | "state">): string {
  if (path === "" || state === "refused") return "";
  return /^https?:/.test(path) ? path : `${publicUrl}/media/${path}`;
}

export function assetAnswer(context: StudioContext, row: AssetRow): AssetAnswer {
  const url = assetUrl(context, row);
  const problem = row.fetchProblem || (row.state === "refused" && row.problem ? refusalText(row.problem) : "");
  return {
    uri: row.uri || url,
    rel: row.rel ?? "local",
    type: row.mime,
    size: row.bytes,
    ...(row.kind === "audio" && { duration: row.seconds ?? 0 }),
    guid: row.guid,
    url,
    state: states[row.state],
    ...(problem && { problem }),
  };
}

export function refusalText(key: string): string {
  const text: unknown = (texts.en as unknown as Record<string, unknown>)[key];
  return typeof text === "string" ? text : key;
}

export function assetResource(context: StudioContext, row: AssetRow): AssetResource {
  return {
    apiVersion: "v1",
    kind: "asset",
    metadata: {
      name: nameOf(row, "asset"),
      guid: row.guid,
      parent: row.parent,
      date: row.created_at.toUTCString(),
      labels: JSON.parse(row.labels ?? "{}") as Record<string, string>,
      tags: JSON.parse(row.tags ?? "[]") as string[],
    },
    enclosure: assetAnswer(context, row),
  };
}

/** @param files of its production, by GUID */
export function showResource(
  context: StudioContext,
  show: ShowsTable,
  production: Pick<ProductionsTable, "guid">,
  files: ReadonlyMap<string, AssetRow>,
): ShowResource {
  const details = detailsOfShow(show);
  const categories = categoriesOf(show);
  const sentAsList = Array.isArray(details.category) || categories.length > 1;
  const cover = files.get(show.next_cover ?? show.cover ?? "");
  const [first = { name: show.category, subcategory: [] }] = categories;
  return {
    apiVersion: "v1",
    kind: "show",
    metadata: {
      name: show.name,
      guid: show.guid,
      parent: production.guid,
      date: details.date || show.created_at.toUTCString(),
      labels: {
        type: details.type,
        ...details.labels,
        language: show.language,
        explicit:
          isYes(details.labels["explicit"]) === show.explicit
            ? (details.labels["explicit"] ?? String(show.explicit))
            : String(show.explicit),
        ...(show.podcast_guid && { guid: show.podcast_guid }),
      },
      tags: details.tags,
    },
    description: {
      title: show.title,
      summary: show.description,
      link: { uri: details.link || `${context.publicUrl}/s/${show.name}` },
      category: sentAsList ? categories : first,
      owner: { name: details.ownerName || show.author, email: show.owner_email },
      author: show.author,
      copyright: details.copyright,
      ...(details.newFeed && { newFeed: { uri: details.newFeed } }),
    },
    ...(cover && { image: assetAnswer(context, cover) }),
  };
}

/** @param files of its production, by GUID */
export function episodeResource(
  context: StudioContext,
  show: Pick<ShowsTable, "name">,
  row: EpisodeRow,
  files: ReadonlyMap<string, AssetRow>,
): EpisodeResource {
  const details = detailsOfEpisode(row);
  const [cover, audio] = [row.cover, row.audio].map((guid) => (guid === null ? undefined : files.get(guid)));
  const state = row.state === "draft" && row.builds ? "waiting" : row.state;
  const { draft: _draft, narrated: _narrated, ...labels } = details.labels;
  const date = row.published_at ?? row.publish_at ?? row.dated_at ?? row.created_at;
  return {
    apiVersion: "v1",
    kind: "episode",
    metadata: {
      name: nameOf(row, "episode"),
      guid: row.guid,
      parent: row.parent,
      date: date.toUTCString(),
      labels: {
        ...labels,
        ...(state === "draft" && { draft: "true" }),
        ...(row.machine_voice && { narrated: "true" }),
        ...(row.feed_guid && { guid: row.feed_guid }),
      },
      tags: details.tags,
    },
    description: {
      title: row.title,
      summary: summaryOf(details.summary, row.about_html),
      link: { uri: details.link || publicLink(context, show, row) },
      duration: row.audioSeconds ?? 0,
    },
    ...(cover && { image: assetAnswer(context, cover) }),
    ...(audio && { enclosure: assetAnswer(context, audio) }),
    state,
  };
}
