import { html } from "ghtml";
import type { Needs } from "../../contract/api-route.ts";
import type { ApiBook } from "../../kit/api/book.ts";
import { apiErrors } from "../errors.ts";
import { sections } from "./sections.ts";

const TOKEN = "Authorization: Bearer $TOKEN";
const KEY = "X-API-Key: $KEY";

const examples: Readonly<Record<string, unknown>> = {
  email: "maya@example.com",
  password: "…",
  refresh_token: "…",
  name: "Mornings",
  title: "A cup of tea",
  service_type: "podcast",
  website: "studio.example.com",
  accounts: [{ website: "studio.example.com", email: "maya@example.com", password: "…" }],
  auction_price: 50,
  ids: ["01920000-0000-7000-8000-000000000001"],
  content: "The text of the episode",
  link_post: "https://studio.example.com/e/ep-1",
  link_rss: "https://studio.example.com/feeds/show.xml",
  error_message: "the upload failed",
  key: "episode-1",
  ok: true,
};

const begin = html`<p>People sign in, and their programs send the token that this brings. It lasts an hour.</p>
  <pre><code>MANAGER=http://127.0.0.1:8700
curl -X POST "$MANAGER/api/v1/auth/login" -H "Content-Type: application/json"   -d '{"email":"maya@example.com","password":"…"}'
TOKEN=…
curl "$MANAGER/api/v1/backlink/groups?limit=5" -H "Authorization: Bearer $TOKEN"</code></pre>
  <p>Farms send an API key with the scope worker, which <code>podcrew key create</code> makes; contents take either.</p>
  <pre><code>curl "$MANAGER/api/v1/podcast/links?type=primary&amp;limit=5" -H "X-API-Key: $KEY"</code></pre>
  <p>
    Bodies are JSON of at most 1 MiB, those of imports 32 MiB. Times are ISO 8601 in UTC, ids are UUIDs. Lists answer
    <code>{success, data, total, page, limit}</code>, the newest first; a page or limit out of range is the nearest that is possible.
  </p>`;

/** All that is said of what the manager answers. */
export const managerBook: ApiBook<Needs> = {
  title: "Podcrew manager",
  about: "Accounts, credits, requests and content; farms take their work from here.",
  sections,
  permissions: {
    open: { who: "For anybody.", header: "", security: [] },
    viewer: { who: "For whoever is signed in.", header: TOKEN, security: [{ token: [] }] },
    operator: { who: "For operators and owners.", header: TOKEN, security: [{ token: [] }] },
    owner: { who: "For owners.", header: TOKEN, security: [{ token: [] }] },
    "content:read": {
      who: "For keys with the scope content:read, and whoever is signed in.",
      header: KEY,
      security: [{ key: [] }, { token: [] }],
    },
    "content:write": {
      who: "For keys with the scope content:write, operators and owners.",
      header: KEY,
      security: [{ key: [] }, { token: [] }],
    },
    worker: { who: "For keys with the scope worker.", header: KEY, security: [{ key: [] }] },
  },
  securitySchemes: {
    token: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
    key: { type: "apiKey", in: "header", name: "X-API-Key" },
  },
  refusals: {
    says: html`Whatever is refused answers <code>{"success": false, "message", "code"}</code>. The message names fields, never their values.
      After 429 and 503 wait as long as <code>Retry-After</code> says.`,
    schema: {
      type: "object",
      required: ["success", "message", "code"],
      properties: { success: { const: false }, message: { type: "string" }, code: { type: "string" } },
    },
    rows: Object.entries(apiErrors).map(([code, { status, say }]) => ({ code, status, say })),
  },
  begin,
  variable: "MANAGER",
  examples,
  parameter: (name) => (/id$/i.test(name) ? { format: "uuid" } : {}),
};
