import { html } from "ghtml";
import { podopsRoutes, podopsScopes, type PodopsNeeds } from "../../contract/podops-api.ts";
import type { ApiBook, Permission } from "../../kit/api/book.ts";

const TOKEN = "Authorization: Bearer $TOKEN";
const withToken = { header: TOKEN, security: [{ token: [] }] };

const { version, verifyToken, createToken, listProductions, createProduction, deleteProduction, build, import: fetchFile } = podopsRoutes;
const { listResources, readResource, createResource, updateResource, deleteResource, upload, uploadPart } = podopsRoutes;

const byScope = Object.fromEntries(
  podopsScopes.map((scope): [string, Permission] => [scope, { who: `For tokens with the scope ${scope}.`, ...withToken }]),
) as Record<(typeof podopsScopes)[number], Permission>;

const begin = html`<p>
    Whoever has the admin key, which the first start writes to <code>studio.json</code> in the data folder, makes tokens; a program sends
    one with each call. A token is for somebody: with an account's e-mail as its subject, what it makes shows in that account's web studio,
    and what is made there shows here.
  </p>
  <pre><code>STUDIO=http://127.0.0.1:8710
curl -X POST "$STUDIO/_a/token" -H "Authorization: Bearer $ADMIN_KEY" -d '{"scope":"${podopsScopes.join(" ")}"}'
TOKEN=…
curl -X POST "$STUDIO/a/v1/production" -H "Authorization: Bearer $TOKEN" -d '{"name":"slow-mornings"}'
curl -X POST "$STUDIO/a/v1/resource/slow-mornings/show/slow-mornings" -H "Authorization: Bearer $TOKEN" -d '{"description":{"title":"Slow Mornings","summary":"Unhurried."}}'
curl -X POST "$STUDIO/a/v1/upload/slow-mornings" -H "Authorization: Bearer $TOKEN" -F asset=@tea.mp3
curl -X POST "$STUDIO/a/v1/resource/slow-mornings/episode/a-cup-of-tea" -H "Authorization: Bearer $TOKEN" -d '{"description":{"title":"A cup of tea","summary":"On tea."},"enclosure":{"uri":"tea.mp3"}}'
curl -X POST "$STUDIO/a/v1/build" -H "Authorization: Bearer $TOKEN" -d '{"guid":"slow-mornings"}'</code></pre>
  <p>
    Names have 8 to 44 characters of a-z, 0-9, - and _; GUIDs are 12 hexadecimal digits, and either stands in addresses. Bodies are JSON of
    at most 1 MiB. Times are unix seconds; a resource's date is RFC 1123 and may be sent as either. An episode without a date is due at
    once; one whose date is to come appears by itself when its time has come, once a build has seen it.
  </p>`;

/** All that is said of what the studio answers to programs. */
export const studioBook: ApiBook<PodopsNeeds> = {
  title: "Podcrew studio",
  about: "A podcast host: productions with a show, its episodes and their files; builds publish them as a feed.",
  sections: [
    { title: "Version and tokens", about: "Who may do what.", prefix: "", routes: { version, createToken, verifyToken } },
    {
      title: "Productions",
      about: "A production has one show, under the same GUID. A build makes what is due public.",
      prefix: "",
      routes: { listProductions, createProduction, deleteProduction, build },
    },
    {
      title: "Resources",
      about: "Shows, episodes and assets. All that is wrong with one is said at once.",
      prefix: "",
      routes: { listResources, readResource, createResource, updateResource, deleteResource },
    },
    {
      title: "Files",
      about: "Sent from here, or fetched from where they are.",
      prefix: "",
      routes: { upload, uploadPart, import: fetchFile },
    },
  ],
  permissions: {
    open: { who: "For anybody.", header: "", security: [] },
    token: { who: "For any token.", ...withToken },
    admin: { who: "For whoever has the admin key.", header: "Authorization: Bearer $ADMIN_KEY", security: [{ adminKey: [] }] },
    ...byScope,
  },
  securitySchemes: {
    token: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
    adminKey: { type: "http", scheme: "bearer", description: "The admin key, which makes tokens." },
  },
  refusals: {
    says: html`Whatever is refused answers <code>{"status", "message"}</code>; where fields are wrong, <code>errors</code> lists all of them
      as <code>{"path", "message"}</code>.`,
    schema: {
      type: "object",
      required: ["status", "message"],
      properties: {
        status: { type: "integer" },
        message: { type: "string" },
        errors: {
          type: "array",
          items: { type: "object", required: ["path", "message"], properties: { path: { type: "string" }, message: { type: "string" } } },
        },
      },
    },
    rows: [
      { code: "Bad Request", status: 400, say: "Something is missing or wrong; errors says all of it." },
      { code: "Unauthorized", status: 401, say: "The token or the admin key is missing, unknown or expired." },
      { code: "Forbidden", status: 403, say: "The token lacks the scope that this call needs." },
      { code: "Not Found", status: 404, say: "There is nothing under this address, or it is somebody else's." },
      { code: "Too Large", status: 413, say: "The body is larger than 1 MiB, a recording than 500 MB, a picture than 10 MB." },
      { code: "Internal Server Error", status: 500, say: "Something broke inside the studio; its log says what." },
    ],
  },
  begin,
  variable: "STUDIO",
  examples: {
    name: "slow-mornings",
    guid: "slow-mornings",
    title: "A cup of tea",
    scope: podopsScopes.join(" "),
    uri: "https://example.com/tea.mp3",
    description: { title: "A cup of tea", summary: "On tea." },
    enclosure: { uri: "tea.mp3" },
  },
};
