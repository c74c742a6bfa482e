import { html } from "ghtml";

export interface PageParts {
  /** The site's language, e.g. "zh-Hant". */
  lang: string;
  title: string;
  /** Built by `html`: escaped where it must be. */
  body: string;
  /** Addresses: "/site/assets/wizard.js", "/quill/quill.js". */
  scripts?: readonly string[];
  styles?: readonly string[];
  /** The scripts bring the body in, by `mount`, as they do where a page is an application: what is there can be used. */
  mounted?: boolean;
}

/** A whole document. Modules, but for Quill, which wants to be global. */
export function page({ lang, title, body, scripts = [], styles = [], mounted = false }: PageParts): string {
  const tag = (address: string): string =>
    html`<script type="${address.startsWith("/quill/") ? "text/javascript" : "module"}" src="${address}" defer></script>`;
  return html`<!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/twin/assets/twin.css" />
        !${styles.map((address) => html`<link rel="stylesheet" href="${address}" />`)} !${scripts.map(tag)}
      </head>
      <body>
        !${mounted ? html`<template id="mounted">!${body}</template>` : body}
      </body>
    </html>`;
}

export { html } from "ghtml";
