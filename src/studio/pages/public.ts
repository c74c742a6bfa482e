import { html } from "ghtml";
import type { EpisodeRow } from "../episodes.ts";
import { aboutText } from "../rich-text.ts";
import type { ShowsTable } from "../schema.ts";
import { formatDay, formatLength, type View } from "../view.ts";
import type { Page } from "./frame.ts";
import { thumb } from "./shows.ts";

const icons = {
  play: `<svg viewBox="0 0 24 24" aria-hidden="true" class="i-play"><path d="M8 5.2v13.6c0 .8.9 1.3 1.6.8l10-6.8c.6-.4.6-1.2 0-1.6l-10-6.8c-.7-.5-1.6 0-1.6.8z"/></svg><svg viewBox="0 0 24 24" aria-hidden="true" class="i-pause"><rect x="6" y="5" width="4.4" height="14" rx="1.4"/><rect x="13.6" y="5" width="4.4" height="14" rx="1.4"/></svg>`,
} as const;

/** Works without the script, too: then the browser's own controls stay. */
function player(view: View, episode: EpisodeRow): string {
  const { t } = view;
  const total = formatLength(episode.audioSeconds);
  return html`<div class="player" data-player>
    <audio controls preload="metadata" src="${audioAddress(episode)}"></audio>
    <div class="player-ui" hidden>
      <button type="button" class="round" data-play aria-label="${t.play}" data-label-play="${t.play}" data-label-pause="${t.pause}">
        !${icons.play}
      </button>
      <div class="track">
        <input
          type="range"
          min="0"
          max="${Math.max(1, Math.round(episode.audioSeconds ?? 1))}"
          value="0"
          step="1"
          aria-label="${t.position}"
          data-seek
        />
        <div class="times"><span data-now>0:00</span><span>${total}</span></div>
      </div>
      <button type="button" class="quiet" data-jump="-15" aria-label="${t.back15}">−15</button
      ><button type="button" class="quiet" data-jump="30" aria-label="${t.forward30}">+30</button>
      <button type="button" class="quiet" data-speed aria-label="${t.speed}">1×</button>
    </div>
  </div>`;
}

/** Of ours, or of the host on which it stays. */
function audioAddress({ audioPath }: EpisodeRow): string {
  const path = audioPath ?? "";
  return /^https?:/.test(path) ? path : `/media/${path}`;
}

export interface PublicShow {
  show: ShowsTable;
  coverPath: string | null;
  /** "" while there is none. */
  coverUrl: string;
  feedUrl: string;
  episodes: readonly EpisodeRow[];
}

function head({ show, coverUrl, feedUrl }: PublicShow, title: string, text: string): string {
  return html`<link rel="alternate" type="application/rss+xml" title="${show.title}" href="${feedUrl}" />
    <meta name="description" content="${text.slice(0, 200)}" /><meta property="og:title" content="${title}" />
    <meta property="og:description" content="${text.slice(0, 200)}" />
    !${coverUrl ? html`<meta property="og:image" content="${coverUrl}" />` : ""}`;
}

const EXCERPT_CHARACTERS = 220;

/** Cut between words. */
function excerpt(text: string): string {
  return text.length <= EXCERPT_CHARACTERS ? text : `${text.slice(0, EXCERPT_CHARACTERS).replace(/\s+\S*$/, "")} …`;
}

export function publicShowPage(view: View, input: PublicShow): Page {
  const { t } = view;
  const { show, coverPath, feedUrl, episodes } = input;
  const items = episodes.map(
    (episode) =>
      html`<li class="public-item">
        !${thumb(episode.coverPath ?? coverPath, "small")}
        <div>
          <p class="dim small">
            <time datetime="${episode.published_at?.toISOString() ?? ""}">${formatDay(view, episode.published_at)}</time> ·
            ${formatLength(episode.audioSeconds)}
          </p>
          <h2 class="h3"><a href="/e/${show.name}/${episode.slug ?? episode.guid}">${episode.title}</a></h2>
          <p class="excerpt">${excerpt(aboutText(episode.about_html))}</p>
        </div>
      </li>`,
  );
  return {
    title: show.title,
    frame: "public",
    head: head(input, show.title, show.description),
    main: html`<section class="hero">
        !${thumb(coverPath, "huge")}
        <div>
          <h1>${show.title}</h1>
          <p class="dim">${t.by(show.author)}</p>
          <p class="pre">${show.description}</p>
          <a class="button" href="${feedUrl}">${t.subscribe}</a>
        </div>
      </section>
      !${
        items.length > 0
          ? html`<ul class="public-list">
              !${items}
            </ul>`
          : html`<section class="empty"><p>${t.publicEmpty}</p></section>`
      }`,
  };
}

export function publicEpisodePage(view: View, input: PublicShow, episode: EpisodeRow): Page {
  const { t } = view;
  const { show, coverPath } = input;
  const more = input.episodes.filter(({ guid }) => guid !== episode.guid).slice(0, 4);
  return {
    title: `${episode.title} · ${show.title}`,
    frame: "public",
    scripts: ["player.js"],
    ...(/^https?:/.test(audioAddress(episode)) && { mediaOrigin: new URL(audioAddress(episode)).origin }),
    head: head(input, episode.title, aboutText(episode.about_html)),
    main: html`<article class="listen">
        <div class="listen-head">
          !${thumb(episode.coverPath ?? coverPath, "huge")}
          <div>
            <p class="show-name"><a href="/s/${show.name}">${show.title}</a></p>
            <h1>${episode.title}</h1>
            <p class="dim">
              <time datetime="${episode.published_at?.toISOString() ?? ""}">${formatDay(view, episode.published_at)}</time> ·
              ${formatLength(episode.audioSeconds)}!${episode.machine_voice ? html` · ${t.narratedNote}` : ""}
            </p>
          </div>
        </div>
        !${player(view, episode)}
        <div class="prose">!${episode.about_html}</div>
        <p class="below"><a href="${audioAddress(episode)}" download>${t.download}</a> <a href="${input.feedUrl}">${t.subscribe}</a></p>
      </article>
      !${
        more.length > 0
          ? html`<aside class="more">
              <h2 class="h3">${t.moreOf(show.title)}</h2>
              <ul class="plain">
                !${more.map((other) => html`<li><a href="/e/${show.name}/${other.slug ?? other.guid}">${other.title}</a> <span class="dim small">${formatDay(view, other.published_at)}</span></li>`)}
              </ul>
            </aside>`
          : ""
      }`,
  };
}
