import { html } from "ghtml";
import { statusOf, type EpisodeRow } from "../episodes.ts";
import type { ShowsTable } from "../schema.ts";
import { formatLength, formatTime, type View } from "../view.ts";
import type { Page } from "./frame.ts";
import { showHeader, thumb } from "./shows.ts";

export interface EpisodeListing {
  show: ShowsTable;
  coverPath: string | null;
  episodes: readonly EpisodeRow[];
  search: string;
  page: number;
  pages: number;
  total: number;
}

function publicPath(show: ShowsTable, episode: EpisodeRow): string {
  return statusOf(episode) === "published" ? `/e/${show.name}/${episode.slug ?? episode.guid}` : "";
}

/** What the rows of the page say. `link` is "" while nobody but the owner can see it. */
export function episodesAsData(
  { edges }: Pick<View, "edges">,
  show: ShowsTable,
  { episodes, page, pages }: Pick<EpisodeListing, "episodes" | "page" | "pages">,
) {
  return {
    page,
    pages,
    episodes: episodes.map((episode) => ({
      guid: episode.guid,
      title: episode.title,
      status: statusOf(episode),
      file: edges.marker ? (episode.audioFile ?? "") : "",
      link: publicPath(show, episode),
    })),
  };
}

function row(view: View, { show, coverPath }: EpisodeListing, episode: EpisodeRow): string {
  const { t } = view;
  const status = statusOf(episode);
  const base = `/shows/${show.name}/episodes`;
  const path = publicPath(show, episode);
  const file = view.edges.marker ? (episode.audioFile ?? "") : "";
  const open = path ? html`<a class="button small" href="${path}">${t.open}</a>` : "";
  return html`<tr data-guid="${episode.guid}" data-status="${status}" data-file="${file}">
    <td class="cell-title">
      <div class="title-line">
        !${thumb(episode.coverPath ?? coverPath, "small")}
        <div>
          <a class="episode-title" href="${base}/${episode.guid}/edit">${episode.title || t.untitled}</a><span class="file">${file}</span>
        </div>
      </div>
    </td>
    <td class="cell-status"><span class="chip ${status}">${t.status[status]}</span></td>
    <td class="cell-date">
      <time datetime="${(episode.published_at ?? episode.publish_at ?? episode.updated_at).toISOString()}"
        >${formatTime(view, episode.published_at ?? episode.publish_at ?? episode.updated_at)}</time
      >
    </td>
    <td class="cell-length">${formatLength(episode.audioSeconds)}</td>
    <td class="cell-open">!${open}</td>
  </tr>`;
}

function searchForm({ t }: View, base: string, search: string): string {
  return html`<form class="search" role="search" method="get" action="${base}">
    <input type="search" name="search" aria-label="${t.searchEpisodes}" placeholder="${t.searchEpisodes}" value="${search}" /><button
      type="submit"
      class="unseen"
    >
      ${t.search}
    </button>
  </form>`;
}

export function episodesPage(view: View, listing: EpisodeListing): Page {
  const { t } = view;
  const { show, search, page, pages, total } = listing;
  const base = `/shows/${show.name}/episodes`;
  const link = (to: number, text: string): string =>
    html`<a class="button small" href="${base}?${new URLSearchParams({ ...(search && { search }), page: String(to) }).toString()}"
      >${text}</a
    >`;
  const paging =
    pages > 1
      ? html`<nav class="paging" aria-label="${t.pageOf(page, pages)}">
          !${page > 1 ? link(page - 1, t.previous) : ""}<span>${t.pageOf(page, pages)}</span>!${page < pages ? link(page + 1, t.next) : ""}
        </nav>`
      : "";
  const blind = view.edges.tier === "blind";
  const nothing =
    search && !blind
      ? html`<section class="empty">
          <h2>${t.searchEmpty(search)}</h2>
          <p>${t.searchEmptyLead}</p>
          <a class="button" href="${base}">${t.clearSearch}</a>
        </section>`
      : html`<section class="empty">
          <svg class="voice" viewBox="0 0 120 60" aria-hidden="true">
            <rect x="8" y="22" width="8" height="16" rx="4" />
            <rect x="28" y="12" width="8" height="36" rx="4" />
            <rect x="48" y="4" width="8" height="52" rx="4" />
            <rect x="68" y="16" width="8" height="28" rx="4" />
            <rect x="88" y="8" width="8" height="44" rx="4" />
            <rect x="108" y="24" width="8" height="12" rx="4" />
          </svg>
          <h2>${blind ? t.unlisted : t.episodesEmpty}</h2>
          <p>${blind ? t.unlistedLead : t.episodesEmptyLead}</p>
        </section>`;
  const table = html`<div class="card flush">
    <table class="episodes">
      <thead>
        <tr>
          <th scope="col">${t.columnTitle}</th>
          <th scope="col">${t.columnStatus}</th>
          <th scope="col">${t.columnDate}</th>
          <th scope="col">${t.columnLength}</th>
          <th scope="col"><span class="unseen">${t.columnActions}</span></th>
        </tr>
      </thead>
      <tbody>
        !${listing.episodes.map((episode) => row(view, listing, episode))}
      </tbody>
    </table>
  </div>`;
  return {
    title: `${t.episodes} · ${show.title}`,
    frame: "app",
    main: html`!${showHeader(view, show, listing.coverPath, "episodes")}
      <div class="bar">
        <h1>${t.episodes} !${blind ? "" : html`<span class="count">${total}</span>`}</h1>
        !${blind ? "" : searchForm(view, base, search)}
        <a class="button primary" href="${base}/new">${t.newEpisode}</a>
      </div>
      !${listing.episodes.length > 0 ? table : nothing}!${paging}`,
  };
}
