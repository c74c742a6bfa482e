import { z } from "zod";
import type { EpisodesTable, ShowsTable } from "../schema.ts";

/** What the API is told and the web studio does not ask for: kept beside the row as JSON. */

const category = z.object({ name: z.string(), subcategory: z.array(z.string()) });
const common = {
  labels: z.record(z.string(), z.string()).default({}),
  tags: z.array(z.string()).default([]),
  /** Absolute; "": the studio's own page. */
  link: z.string().default(""),
};

const showDetails = z.object({
  ...common,
  /** As it was sent: one, or a list. */
  category: z.union([category, z.array(category)]).optional(),
  ownerName: z.string().default(""),
  copyright: z.string().default(""),
  /** Where the feed has moved to; "": it has not. */
  newFeed: z.string().default(""),
  type: z.enum(["episodic", "serial"]).default("episodic"),
  block: z.boolean().default(false),
  complete: z.boolean().default(false),
  date: z.string().default(""),
});

const episodeDetails = z.object({
  ...common,
  /** As it was sent; what the row has is made of it. */
  summary: z.string().default(""),
  type: z.enum(["full", "trailer", "bonus"]).default("full"),
  season: z.number().optional(),
  episode: z.number().optional(),
  /** Absent: as the show. */
  explicit: z.boolean().optional(),
  block: z.boolean().default(false),
});

export type ShowDetails = z.output<typeof showDetails>;
export type EpisodeDetails = z.output<typeof episodeDetails>;

export function detailsOfShow({ details }: Pick<ShowsTable, "details">): ShowDetails {
  return showDetails.parse(JSON.parse(details));
}

export function detailsOfEpisode({ details }: Pick<EpisodesTable, "details">): EpisodeDetails {
  return episodeDetails.parse(JSON.parse(details));
}

export type Category = z.output<typeof category>;

/** As the API was told, as long as the web studio has not chosen another one; at least one. */
export function categoriesOf(show: Pick<ShowsTable, "details" | "category">): Category[] {
  const said = [detailsOfShow(show).category ?? []].flat();
  return said[0]?.name === show.category ? said : [{ name: show.category, subcategory: [] }];
}
