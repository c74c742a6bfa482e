import { html } from "ghtml";
import type { ShowsTable } from "../schema.ts";
import { formatTime, type View } from "../view.ts";
import type { Page } from "./frame.ts";
import { showHeader } from "./shows.ts";

/** Where a feed is handed in; public pages of the directories. */
const directories = [
  ["Apple Podcasts", "https://podcastsconnect.apple.com/"],
  ["Spotify", "https://creators.spotify.com/"],
  ["YouTube Music", "https://studio.youtube.com/"],
  ["Amazon Music", "https://podcasters.amazon.com/"],
  ["Podcast Index", "https://podcastindex.org/add"],
] as const;

export interface DistributionInput {
  show: ShowsTable;
  coverPath: string | null;
  feedUrl: string;
  podcastGuid: string;
  published: number;
  changedAt: Date;
}

export function distributionPage(view: View, { show, coverPath, feedUrl, podcastGuid, published, changedAt }: DistributionInput): Page {
  const { t } = view;
  return {
    title: `${t.distribution} · ${show.title}`,
    frame: "app",
    main: html`!${showHeader(view, show, coverPath, "distribution")}
      <h1>${t.distribution}</h1>
      <p class="lead">${t.distributionLead}</p>
      <section class="card">
        <label for="rss">${t.rssLink}</label>
        <div class="copy-line">
          <input id="rss" readonly value="${feedUrl}" /><button type="button" class="primary" data-copy="rss" data-copied="${t.copied}">
            ${t.copy}</button
          ><a class="button" href="${feedUrl}">${t.openFeed}</a>
        </div>
        <p role="status" class="small" data-copy-status></p>
      </section>
      <div class="columns even">
        <section class="card">
          <h2>${t.feedFacts}</h2>
          <dl class="facts">
            <dt>${t.feedEpisodes}</dt>
            <dd>${published}</dd>
            <dt>${t.feedUpdated}</dt>
            <dd>${formatTime(view, changedAt)}</dd>
            <dt>${t.feedGuid}</dt>
            <dd class="mono">${podcastGuid}</dd>
          </dl>
        </section>
        <section class="card">
          <h2>${t.directories}</h2>
          <ul class="plain">
            !${directories.map(
              ([name, url]) =>
                html`<li>
                  <a href="${url}" rel="noopener noreferrer" target="_blank">${name} <span aria-hidden="true">↗</span></a>
                </li>`,
            )}
          </ul>
        </section>
      </div>`,
  };
}
