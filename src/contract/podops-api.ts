import { z } from "zod";
import { httpUrl, text, type ApiRoute, type ApiRoutes } from "./api-route.ts";
import { assetStates, kindAliases, resource, resourceInput, resourceName } from "./podops-resource.ts";

export const podopsScopes = ["production:read", "production:write", "production:build", "resource:read", "resource:write"] as const;
export type PodopsScope = (typeof podopsScopes)[number];

/** Who may call: a token with a scope, any token, whoever has the admin key, or anybody. */
export type PodopsNeeds = PodopsScope | "token" | "admin" | "open";

/** "true", "1" or no value are yes. */
const flag = z
  .enum(["true", "false", "1", "0", ""])
  .optional()
  .transform((given) => given !== undefined && given !== "false" && given !== "0");

const unixSeconds = z.int().describe("unix seconds");
const maybeSeconds = z.int().describe("unix seconds; 0: never");

export const production = z.object({
  guid: z.string(),
  name: z.string(),
  owner: z.string().describe("who made it: a token's subject"),
  title: z.string(),
  summary: z.string(),
  published: z.boolean(),
  latest_publish_date: maybeSeconds,
  build_date: maybeSeconds,
});
export type Production = z.output<typeof production>;

const kindWords = { kind: Object.keys(kindAliases) };
const force = z.object({ f: flag.describe("POST: replace what is there; PUT: make what is not there") });

/** What a resource's POST and PUT answer: 202 while one of its files is still to be fetched. */
const saved = {
  status: 201,
  otherwise: { 202: { when: "While a file that it points to is still to be fetched", answer: resource } },
  body: resourceInput,
  answer: resource,
} as const;

const uploaded = z.object({
  guid: z.string(),
  name: z.string(),
  uri: z.string(),
  type: z.string(),
  size: z.int(),
  etag: z.string(),
  duration: z.number().optional().describe("seconds; of recordings"),
});

const imported = z.object({
  guid: z.string().describe("of the asset"),
  name: z.string(),
  uri: z.string(),
  state: z.enum(assetStates),
});

/** At the root of the studio. */
export const podopsRoutes = {
  version: {
    method: "GET",
    path: "/",
    summary: "The version; a browser is shown the studio's page",
    row: "P1",
    needs: "open",
    answer: z.object({ name: z.string(), version: z.string() }),
  },
  verifyToken: {
    method: "GET",
    path: "/_a/token",
    summary: "Says whose token it is and what it may do; 401 for one that is none",
    row: "P2",
    needs: "token",
    answer: z.object({ valid: z.literal(true), subject: z.string(), scope: z.string(), exp: unixSeconds }),
  },
  listProductions: {
    method: "GET",
    path: "/a/v1/productions",
    summary: "The productions of the token's subject",
    row: "P3",
    needs: "production:read",
    answer: z.object({ productions: z.array(production) }),
  },
  createProduction: {
    method: "POST",
    path: "/a/v1/production",
    summary: "Makes a production; of the same owner and name there is one, however often it is asked for. Its show is made apart",
    row: "P4",
    needs: "production:write",
    body: z.object({
      name: resourceName,
      title: text.max(200).optional(),
      summary: text.max(4000).optional(),
    }),
    answer: production,
    status: 201,
  },
  deleteProduction: {
    method: "DELETE",
    path: "/a/v1/production/:id",
    summary: "Deletes a production, by GUID or name, with its show, episodes and assets; the history of what was published stays",
    needs: "production:write",
    answer: z.unknown(),
    status: 204,
  },
  readResource: {
    method: "GET",
    path: "/a/v1/resource/:prod/:kind/:id",
    summary: "A resource, by GUID or name",
    row: "P5",
    needs: "resource:read",
    words: kindWords,
    answer: resource,
  },
  listResources: {
    method: "GET",
    path: "/a/v1/resource/:prod/:kind",
    summary: "All resources of a kind, or of all kinds; episodes and assets with the newest first",
    row: "P6",
    needs: "resource:read",
    words: { kind: [...Object.keys(kindAliases), "all"] },
    answer: z.object({ resources: z.array(resource) }),
  },
  createResource: {
    method: "POST",
    path: "/a/v1/resource/:prod/:kind/:id",
    summary: "Makes a resource under a GUID or a name; 400 where there is one, unless ?f=true",
    row: "P7",
    needs: "resource:write",
    words: kindWords,
    query: force,
    ...saved,
  },
  updateResource: {
    method: "PUT",
    path: "/a/v1/resource/:prod/:kind/:id",
    summary: "Replaces a resource; 400 where there is none, unless ?f=true. A published episode keeps its GUID and its address",
    row: "P8",
    needs: "resource:write",
    words: kindWords,
    query: force,
    ...saved,
  },
  deleteResource: {
    method: "DELETE",
    path: "/a/v1/resource/:prod/:kind/:id",
    summary: "Deletes a resource; what is in use, an asset of an episode, stays: 400",
    row: "P9",
    needs: "resource:write",
    words: kindWords,
    answer: z.unknown(),
    status: 204,
  },
  build: {
    method: "POST",
    path: "/a/v1/build",
    summary: "Publishes what is due, schedules what is not and writes the feed: all of it or nothing",
    row: "P10",
    needs: "production:build",
    query: z.object({ v: flag.describe("only says whether it would work") }),
    body: z.object({ guid: text.min(1, "is empty").max(44).describe("of the production; its name does as well") }),
    answer: z.object({ guid: z.string(), feed: z.string(), alias: z.string().describe("leads to the feed by the production's name") }),
    status: 201,
    otherwise: { 200: { when: "With v", answer: z.object({ valid: z.literal(true) }) } },
  },
  upload: {
    method: "POST",
    path: "/a/v1/upload/:prod",
    summary: "Takes a file; one of the same name is replaced",
    row: "P11",
    needs: "resource:write",
    file: "sent",
    fileField: "asset",
    answer: uploaded,
    status: 201,
  },
  uploadPart: {
    method: "PUT",
    path: "/a/v1/upload/:prod/:name",
    summary:
      "Takes a file, or a part of one: Content-Range says which, or Upload-Offset with Upload-Length. What has arrived before a connection died counts; HEAD says how much that is",
    needs: "resource:write",
    file: "raw",
    answer: uploaded,
    status: 201,
    otherwise: { 202: { when: "While more is to come", answer: z.object({ offset: z.int(), total: z.int() }) } },
  },
  createToken: {
    method: "POST",
    path: "/_a/token",
    summary: "Makes a token; for whoever has the admin key",
    row: "P12",
    needs: "admin",
    body: z.object({
      subject: text
        .max(200)
        .optional()
        .describe("for whom; an account's e-mail: what it makes is that account's. Absent: the first account"),
      scope: text.max(1000).describe(`of ${podopsScopes.join(", ")}; several with a space between them`),
      expires_in: z.int().min(1).max(31_536_000).optional().describe("seconds; a day unless it is said"),
    }),
    answer: z.object({ token: z.string(), expires_at: unixSeconds }),
    status: 201,
  },
  import: {
    method: "POST",
    path: "/_t/import",
    summary: "Fetches a file in the background, as an asset of a production; asked again for the same address, it is the same asset",
    row: "P13",
    needs: "resource:write",
    body: z.object({
      guid: text.min(1, "is empty").max(44).describe("of the production; its name does as well"),
      uri: httpUrl,
      name: text.max(200).optional().describe("of the asset; absent: the address's last part"),
    }),
    answer: imported,
    status: 202,
  },
} as const satisfies ApiRoutes<PodopsNeeds>;

export type PodopsRoute = ApiRoute<PodopsNeeds>;

/** What a refusal says, beside its status. */
export const podopsRefusal = z.object({
  status: z.int(),
  message: z.string(),
  errors: z
    .array(z.object({ path: z.string().describe('"description.title"; "" for the whole'), message: z.string() }))
    .optional()
    .describe("all that is wrong with it, at once"),
});
