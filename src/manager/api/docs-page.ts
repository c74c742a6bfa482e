import { html } from "ghtml";
import type { ApiRoute, Needs } from "../../contract/api-route.ts";
import { apiErrors } from "../errors.ts";
import { curlOf } from "./docs-example.ts";
import { answerRows, bodyRows, queryRows, type FieldRow } from "./docs-schema.ts";
import { DOCS_STYLE } from "./docs-style.ts";
import type { ApiSection } from "./openapi.ts";

/** The APIs for readers: one page, no script, made of the same tables as the OpenAPI document. */
export function docsPage(title: string, about: string, sections: readonly ApiSection[]): string {
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
          !${BEGIN} !${refusalsHtml()}
          !${sections.map(
            ({ title: heading, about: what, prefix, routes }) =>
              html`<section id="${idOf(heading)}">
                <h2>${heading}</h2>
                <p>${what}</p>
                !${Object.entries<ApiRoute>(routes).map(([name, route]) => routeHtml(name, prefix, route))}
              </section>`,
          )}
        </main>
      </body>
    </html>`;
}

const BEGIN = html`<section id="begin">
  <h2>How to begin</h2>
  <p>People sign in, and their programs send the token that this brings. It lasts an hour.</p>
  <pre><code>MANAGER=http://127.0.0.1:8700
curl -X POST "$MANAGER/api/v1/auth/login" -H "Content-Type: application/json"   -d '{"email":"maya@example.com","password":"…"}'
TOKEN=…
curl "$MANAGER/api/v1/backlink/groups?limit=5" -H "Authorization: Bearer $TOKEN"</code></pre>
  <p>Farms send an API key with the scope worker, which <code>podcrew key create</code> makes; contents take either.</p>
  <pre><code>curl "$MANAGER/api/v1/podcast/links?type=primary&amp;limit=5" -H "X-API-Key: $KEY"</code></pre>
  <p>
    Bodies are JSON of at most 1 MiB, those of imports 32 MiB. Times are ISO 8601 in UTC, ids are UUIDs. Lists answer
    <code>{success, data, total, page, limit}</code>, the newest first; a page or limit out of range is the nearest that is possible.
  </p>
</section>`;

function refusalsHtml(): string {
  return html`<section id="refusals">
    <h2>Refusals</h2>
    <p>
      Whatever is refused answers <code>{"success": false, "message", "code"}</code>. The message names fields, never their values. After
      429 and 503 wait as long as <code>Retry-After</code> says.
    </p>
    <table class="refusals">
      <tbody>
        !${Object.entries(apiErrors)
          .toSorted(([, a], [, b]) => a.status - b.status)
          .map(
            ([code, { status, say }]) =>
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
      !${Object.entries<ApiRoute>(routes).map(
        ([name, { method, path }]) =>
          html`<li>
            <a href="#${name}">!${methodHtml(method)}<span>${path}</span></a>
          </li>`,
      )}
    </ul>
  </div>`;
}

const whoMay: Readonly<Record<Needs, string>> = {
  open: "For anybody.",
  viewer: "For whoever is signed in.",
  operator: "For operators and owners.",
  owner: "For owners.",
  "content:read": "For keys with the scope content:read, and whoever is signed in.",
  "content:write": "For keys with the scope content:write, operators and owners.",
  worker: "For keys with the scope worker.",
};

function routeHtml(name: string, prefix: string, route: ApiRoute): string {
  const { method, path, summary, row, needs, status = 200, file } = route;
  const answer = file === "answered" ? [] : answerRows(route);
  return html`<article id="${name}">
    <h3>
      <a href="#${name}">!${methodHtml(method)} <code>${prefix}${path}</code></a>
    </h3>
    <p>${summary}. <small>${whoMay[needs]}${row ? ` Row ${row}.` : ""}</small></p>
    !${tableHtml("Address", [wordRows(route)], { open: true })} !${tableHtml("Query", [queryRows(route)], { open: true })}
    !${tableHtml(file === "sent" ? "Form" : "Body", file === "sent" ? [[FILE]] : bodyRows(route), { open: true })}
    !${tableHtml(`Answer ${status}`, answer, { open: false })}
    <details>
      <summary>Example</summary>
      <pre><code>${curlOf(prefix, route)}</code></pre>
    </details>
  </article>`;
}

const FILE: FieldRow = { name: "file", type: "multipart/form-data", note: "", required: true };

/** Parameters of the address that are one of some words; the others are ids. */
function wordRows({ words = {} }: ApiRoute): FieldRow[] {
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
