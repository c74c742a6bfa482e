import { html } from "ghtml";
import type { ApiRoute } from "../../contract/api-route.ts";
import type { ApiBook, ApiSection } from "./book.ts";
import { curlOf } from "./docs-example.ts";
import { answerRows, bodyRows, queryRows, rowsOfAnswer, type FieldRow } from "./docs-schema.ts";
import { DOCS_STYLE } from "./docs-style.ts";

/** The APIs for readers: one page, no script, made of the same tables as the OpenAPI document. */
export function docsPage(book: ApiBook): string {
  const { title, about, sections, begin } = book;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          !${DOCS_STYLE}
        </style>
      </head>
      <body>
        <nav aria-label="Contents">
          <strong>${title}</strong>
          <div><a href="#begin">How to begin</a></div>
          <div><a href="#refusals">Refusals</a></div>
          !${sections.map(contentsHtml)}
        </nav>
        <main>
          <h1>${title}</h1>
          <p>${about} The same for programs: <a href="/openapi.json">openapi.json</a>.</p>
          !${beginHtml(begin)} !${refusalsHtml(book.refusals)}
          !${sections.map(
            ({ title: heading, about: what, prefix, routes }) =>
              html`<section id="${idOf(heading)}">
                <h2>${heading}</h2>
                <p>${what}</p>
                !${Object.entries<ApiRoute<string>>(routes).map(([name, route]) => routeHtml(book, name, prefix, route))}
              </section>`,
          )}
        </main>
      </body>
    </html>`;
}

const beginHtml = (begin: string): string =>
  html`<section id="begin">
    <h2>How to begin</h2>
    !${begin}
  </section>`;

function refusalsHtml({ says, rows }: ApiBook["refusals"]): string {
  return html`<section id="refusals">
    <h2>Refusals</h2>
    <p>!${says}</p>
    <table class="refusals">
      <tbody>
        !${rows
          .toSorted((a, b) => a.status - b.status)
          .map(
            ({ code, status, say }) =>
              html`<tr>
                <th scope="row"><code>${code}</code></th>
                <td>${status}</td>
                <td>${say}</td>
              </tr>`,
          )}
      </tbody>
    </table>
  </section>`;
}

const methodHtml = (method: string): string => html`<span class="method ${method.toLowerCase()}">${method}</span>`;

function contentsHtml({ title, routes }: ApiSection): string {
  return html`<div>
    <a href="#${idOf(title)}">${title}</a>
    <ul>
      !${Object.entries<ApiRoute<string>>(routes).map(
        ([name, { method, path }]) =>
          html`<li>
            <a href="#${name}">!${methodHtml(method)}<span>${path}</span></a>
          </li>`,
      )}
    </ul>
  </div>`;
}

function routeHtml(book: ApiBook, name: string, prefix: string, route: ApiRoute<string>): string {
  const { method, path, summary, row, needs, status = 200, otherwise = {}, file, fileField = "file" } = route;
  const answer = file === "answered" ? [] : answerRows(route);
  return html`<article id="${name}">
    <h3>
      <a href="#${name}">!${methodHtml(method)} <code>${prefix}${path}</code></a>
    </h3>
    <p>${summary}. <small>${book.permissions[needs]?.who}${row ? ` Row ${row}.` : ""}</small></p>
    !${tableHtml("Address", [wordRows(route)], { open: true })} !${tableHtml("Query", [queryRows(route)], { open: true })}
    !${tableHtml(file === "sent" ? "Form" : "Body", file === "sent" ? [[{ ...FILE, name: fileField }]] : file === "raw" ? [[RAW_FILE]] : bodyRows(route), { open: true })}
    !${tableHtml(`Answer ${status}`, answer, { open: false })}
    !${Object.entries(otherwise).map(
      ([code, { when, answer: other }]) =>
        html`<p><small>${when}: ${code}.</small></p>
          !${tableHtml(`Answer ${code}`, rowsOfAnswer(other), { open: false })}`,
    )}
    <details>
      <summary>Example</summary>
      <pre><code>${curlOf(book, prefix, route)}</code></pre>
    </details>
  </article>`;
}

const FILE: FieldRow = { name: "file", type: "multipart/form-data", note: "", required: true };

const RAW_FILE: FieldRow = { name: "", type: "the file itself", note: "", required: true };

/** Parameters of the address that are one of some words; the others are ids. */
function wordRows({ words = {} }: ApiRoute<string>): FieldRow[] {
  return Object.entries(words).map(([name, some]) => ({ name, type: some.join(" | "), note: "", required: true }));
}

/** @param shapes of which it has one */
function tableHtml(title: string, shapes: readonly FieldRow[][], { open }: { open: boolean }): string {
  if (shapes.every((rows) => rows.length === 0)) return "";
  const or = html`<tr class="or">
    <td>or</td>
  </tr>`;
  return html`<details ${open ? "open" : ""}>
    <summary>${title}</summary>
    <table>
      <tbody>
        !${shapes.map((rows) => rows.map((row) => fieldHtml(row, open)).join("")).join(or)}
      </tbody>
    </table>
  </details>`;
}

/** @param sent what is needed has a mark; of what is answered all is there */
function fieldHtml({ name, type, note, required }: FieldRow, sent: boolean): string {
  const at = name.lastIndexOf(".") + 1;
  return html`<tr>
    <th scope="row">
      <code><span class="before">!${name.slice(0, at).replaceAll(".", ".<wbr />")}</span>${name.slice(at)}</code
      >!${sent && required ? NEEDED : ""}
    </th>
    <td>${type}</td>
    <td>${note}</td>
  </tr>`;
}

const NEEDED = ` <small class="needed">needed</small>`;
const idOf = (title: string): string => title.toLowerCase().replaceAll(/\W+/g, "-");
