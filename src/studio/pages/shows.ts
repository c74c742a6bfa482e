import { html } from "ghtml";
import type { ShowsTable } from "../schema.ts";
import { categories, type ShowSummary } from "../shows.ts";
import { thumbOf } from "../media/names.ts";
import { formatDay, type View } from "../view.ts";
import type { Page } from "./frame.ts";
import { alert, status } from "./sign-in.ts";

/** A picture that stays on another host has no small one here, and our pages load nothing from elsewhere. */
export function thumb(path: string | null, size: "small" | "large" | "huge"): string {
  return path && !/^https?:/.test(path)
    ? html`<img class="thumb ${size}" src="/media/${thumbOf(path)}" alt="" width="480" height="480" loading="lazy" />`
    : html`<span class="thumb ${size} none" aria-hidden="true"></span>`;
}

export function dashboardPage(view: View, shows: readonly ShowSummary[]): Page {
  const { t } = view;
  const cards = shows.map(
    (show) =>
      html`<li class="show-card">
        <a href="/shows/${show.name}">!${thumb(show.coverPath, "large")}<span class="show-title">${show.title}</span></a>
        <p class="dim">
          ${t.episodesCount(Number(show.published))}!${Number(show.drafts) > 0 ? html` · ${t.draftsCount(Number(show.drafts))}` : ""}
        </p>
        <p class="dim">${show.latest ? t.latest(formatDay(view, show.latest)) : t.nothingPublished}</p>
      </li>`,
  );
  const body =
    shows.length === 0
      ? html`<section class="empty">
          <h2>${t.showsEmpty}</h2>
          <p>${t.showsEmptyLead}</p>
          <a class="button primary" href="/new-show">${t.newShow}</a> <a class="button" href="/import">${t.importShow}</a>
        </section>`
      : html`<ul class="show-grid">
          !${cards}
        </ul>`;
  return {
    title: t.yourShows,
    frame: "app",
    main: html`<div class="bar">
        <h1>${t.yourShows}</h1>
        !${
          shows.length > 0
            ? html`<a class="button" href="/import">${t.importShow}</a><a class="button" href="/new-show">${t.newShow}</a>`
            : ""
        }
      </div>
      !${body}`,
  };
}

export type Tab = "episodes" | "distribution" | "settings";

/** The show's name and its tabs, above each of its pages. */
export function showHeader(view: View, show: ShowsTable, coverPath: string | null, current: Tab | null): string {
  const { t } = view;
  const tab = (name: Tab, text: string): string =>
    html`<a href="/shows/${show.name}/${name}" !${name === current ? 'aria-current="page"' : ""}>${text}</a>`;
  return html`<div class="show-head">
    !${thumb(coverPath, "small")}
    <div>
      <p class="show-name"><a href="/shows/${show.name}">${show.title}</a></p>
      <nav class="tabs" aria-label="${show.title}">
        !${tab("episodes", t.episodes)}!${tab("distribution", t.distribution)}!${tab("settings", t.settings)}<a href="/s/${show.name}"
          >${t.showPage} <span aria-hidden="true">↗</span></a
        >
      </nav>
    </div>
  </div>`;
}

export interface ShowForm {
  name: string;
  title: string;
  description: string;
  language: string;
  author: string;
  ownerEmail: string;
  category: string;
  explicit: boolean;
  locked: boolean;
}

export const languageNames = {
  en: "English",
  vi: "Tiếng Việt",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  ja: "日本語",
  ko: "한국어",
  pt: "Português",
  zh: "中文",
} as const;

function showFieldset(view: View, form: ShowForm): string {
  const { t } = view;
  const options = (list: readonly (readonly [string, string])[], chosen: string): string[] =>
    list.map(([value, text]) => html`<option value="${value}" !${value === chosen ? "selected" : ""}>${text}</option>`);
  const languages = Object.entries(languageNames);
  const known = languages.some(([code]) => code === form.language)
    ? languages
    : [...languages, [form.language, form.language] as [string, string]];
  return html`<label for="title">${t.showTitle}</label><input id="title" name="title" required maxlength="200" value="${form.title}" />
    <label for="description">${t.showDescription}</label
    ><textarea id="description" name="description" rows="5" maxlength="4000">${form.description}</textarea>
    <div class="pair">
      <div>
        <label for="language">${t.showLanguage}</label
        ><select id="language" name="language">
          !${options(known, form.language)}
        </select>
      </div>
      <div>
        <label for="category">${t.showCategory}</label
        ><select id="category" name="category">
          !${options(
            categories.map((name) => [name, name] as const),
            form.category,
          )}
        </select>
      </div>
    </div>
    <div class="pair">
      <div><label for="author">${t.showAuthor}</label><input id="author" name="author" maxlength="200" value="${form.author}" /></div>
      <div>
        <label for="ownerEmail">${t.showOwnerEmail}</label
        ><input id="ownerEmail" name="ownerEmail" type="email" value="${form.ownerEmail}" />
      </div>
    </div>
    <label class="check"><input type="checkbox" name="explicit" value="yes" !${form.explicit ? "checked" : ""} /> ${t.showExplicit}</label
    ><label class="check"><input type="checkbox" name="locked" value="yes" !${form.locked ? "checked" : ""} /> ${t.showLocked}</label>`;
}

export function newShowPage(view: View, form: ShowForm, problem: string): Page {
  const { t } = view;
  return {
    title: t.newShow,
    frame: "app",
    main: html`<h1>${t.newShow}</h1>
      !${alert(problem)}
      <form class="card form" method="post" action="/new-show">
        <input type="hidden" name="_csrf" value="${view.csrf}" />
        !${showFieldset(view, form)}
        <label for="name">${t.showName}</label
        ><input id="name" name="name" required pattern="[a-z0-9_\\-]{8,44}" value="${form.name}" aria-describedby="name-hint" />
        <p class="hint" id="name-hint">${t.showNameHint}</p>
        <div class="actions">
          <button class="primary" type="submit">${t.createShow}</button><a class="button" href="/dashboard">${t.cancel}</a>
        </div>
      </form>`,
  };
}

export function settingsPage(
  view: View,
  show: ShowsTable,
  coverPath: string | null,
  form: ShowForm,
  say: { problem: string; note: string },
): Page {
  const { t } = view;
  return {
    title: `${t.settings} · ${show.title}`,
    frame: "app",
    scripts: ["settings.js"],
    main: html`!${showHeader(view, show, coverPath, "settings")}
      <h1>${t.settings}</h1>
      !${alert(say.problem)}!${status(say.note)}
      <div class="columns">
        <form class="card form" method="post" action="/shows/${show.name}/settings">
          <input type="hidden" name="_csrf" value="${view.csrf}" />
          !${showFieldset(view, form)}
          <div class="actions"><button class="primary" type="submit">${t.saveSettings}</button></div>
        </form>
        <section class="card side">
          <label for="cover" class="h3">${t.showCover}</label>
          <div
            id="show-cover"
            data-show="${show.name}"
            data-uploading="${t.uploading}"
            data-ready="${t.coverReady}"
            data-failed="${t.uploadFailed}"
          >
            !${thumb(coverPath, "huge")}<input id="cover" type="file" accept="image/jpeg,image/png" /><progress
              max="100"
              value="0"
              hidden
            ></progress>
            <p role="status" class="small"></p>
          </div>
          <p class="hint">JPEG / PNG, 1400–3000 px</p>
        </section>
      </div>`,
  };
}
