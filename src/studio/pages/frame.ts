import { html } from "ghtml";
import type { View } from "../view.ts";

export interface Page {
  title: string;
  /** Built by `html`: escaped where it must be. */
  main: string;
  /** Scripts and style sheets besides the common ones, names as in assets. */
  scripts?: readonly string[];
  styles?: readonly string[];
  /** "app": header with account. "plain": sign-in and the like. "public": what listeners see. */
  frame: "app" | "plain" | "public";
  /** Extra lines of the head, built by `html`. */
  head?: string;
  /** Another host whose recording the page plays. */
  mediaOrigin?: string;
}

const mark = `<svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true"><rect width="32" height="32" rx="9" fill="var(--accent)"/><g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"><path d="M9 13v6M14 9.5v13M19 12v8M24 14.5v3"/></g></svg>`;

function header({ frame }: Page, view: View): string {
  const home = frame === "app" ? "/dashboard" : "/";
  const account = view.session?.account;
  const user =
    frame === "app" && account
      ? html`<nav class="top-nav" aria-label="${view.t.yourShows}"><a href="/dashboard">${view.t.yourShows}</a></nav>
          <div class="who">
            <span class="avatar" aria-hidden="true">${(account.name[0] ?? "?").toUpperCase()}</span
            ><span class="who-mail">${account.email}</span><a class="quiet" href="/logout" data-sign-out>${view.t.signOut}</a>
          </div>`
      : "";
  return html`<header class="top">
    <div class="top-in">
      <a class="brand" href="${home}">!${mark}<span>${view.t.studio}</span></a
      >!${user}
    </div>
  </header>`;
}

function languages(view: View): string {
  const link = (code: string, name: string): string =>
    html`<a href="?lang=${code}" hreflang="${code}" lang="${code}" !${view.locale === code ? 'aria-current="true"' : ""}>${name}</a>`;
  return html`<nav class="languages" aria-label="${view.t.language}">!${link("en", "English")} !${link("vi", "Tiếng Việt")}</nav>`;
}

/** The whole document. Scripts are files, never inline: the content security policy allows nothing else. */
export function renderPage(page: Page, view: View): string {
  const styles = [...(page.styles ?? []), "studio.css"].map((name) => html`<link rel="stylesheet" href="${view.asset(name)}" />`);
  const scripts = ["studio.js", ...(page.scripts ?? [])].map(
    (name) => html`<script type="${name.startsWith("quill/") ? "text/javascript" : "module"}" src="${view.asset(name)}" defer></script>`,
  );
  const { whatsNew, popUpAt } = view.edges;
  const news = popUpAt || (view.session && whatsNew && !view.session.row.saw_news);
  const popUp = news
    ? html`<dialog id="whats-new" aria-labelledby="whats-new-title" !${popUpAt ? html`data-at="${popUpAt}"` : ""}>
        <h2 id="whats-new-title">${view.t.whatsNew}</h2>
        <p>${view.t.whatsNewLead}</p>
        <div class="actions"><button type="button" class="primary" data-got-it>${view.t.gotIt}</button></div>
      </dialog>`
    : "";
  return html`<!doctype html>
    <html lang="${view.locale}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="csrf" content="${view.csrf}" />
        <title>${page.title} · ${view.t.studio}</title>
        <link rel="icon" href="${view.asset("icon.svg")}" type="image/svg+xml" />
        !${styles} !${page.head ?? ""} !${scripts}
      </head>
      <body class="${page.frame}">
        <a class="skip" href="#main">${view.t.skip}</a>
        !${header(page, view)}
        <main id="main">!${page.main}</main>
        <footer class="foot"><span>${view.t.footer}</span>!${page.frame === "app" ? "" : languages(view)}</footer>
        !${popUp}
      </body>
    </html>`;
}
