import { z } from "zod";
import {
  anyOf,
  bulkAnswer,
  bulkBody,
  count,
  done,
  httpUrl,
  limit,
  listOf,
  name,
  page,
  queryText,
  search,
  sorting,
  text,
  time,
  uuid,
  type ApiRoutes,
} from "./api-route.ts";

/** The Backlink API (rows B1-B26), under /api/v1/backlink. Its text is the reference; what it leaves open is settled as noted. */

export const serviceTypes = ["entity", "social", "blog20", "podcast", "stacking", "indexing"] as const;
export type ServiceType = (typeof serviceTypes)[number];

export const requestStatuses = ["pending", "running", "completed", "stopped", "failed"] as const;
export type RequestStatus = (typeof requestStatuses)[number];

export const linkStatuses = ["pending", "queued", "running", "completed", "failed", "canceled"] as const;
export type LinkStatus = (typeof linkStatuses)[number];

export const groupStatuses = ["active", "inactive"] as const;
/** unsupported: no farm has a driver for the site; failed: it could not sign in. */
export const accountStatuses = ["active", "inactive", "unsupported", "failed"] as const;
export type AccountStatus = (typeof accountStatuses)[number];

/** Secrets of an account as people write them; sealed at rest. */
export const secretNames = ["password", "app_password", "pass_mail", "twofa", "cookies", "api_token"] as const;

const serviceType = z.enum(serviceTypes);
const timeOrNull = time.nullable();
/** In a request null and absent change nothing, "" clears. */
const given = text.nullish();
const secret = given;
/** null where it is masked; whether there is one says has_…. */
const shownSecret = z.string().nullable();

// Groups and accounts

/** Part of an account's identity, which has to fit into an index. */
const login = text.max(320).nullish();
const website = text.max(2000);

const word = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.enum(["true", "false"]))
  .transform((one) => one === "true");

export const accountBody = z
  .object({
    website,
    username: login,
    email: login,
    password: secret,
    app_password: secret,
    pass_mail: secret,
    twofa: secret,
    cookies: secret,
    api_token: secret.describe("additive: for sites with an API"),
    note: given,
    active: z
      .union([z.boolean(), word], { error: "is neither true nor false" })
      .nullish()
      .describe("false: nobody gets work of it; also as a word in any letter case, which is what a CSV has"),
  })
  .describe("an account on a site; username or email is needed");

/** An import keeps what is right and counts what is wrong, so its rows are checked one by one. */
const anyAccountRows = z.array(z.unknown()).max(100_000).describe("accounts, each as POST /groups/:id/accounts takes it");
const accountRows = anyAccountRows.min(1);
const IMPORT_BYTES = 32 * 1024 * 1024;

export const group = z.object({
  id: uuid,
  user_id: uuid,
  name: z.string(),
  service_type: serviceType,
  status: z.enum(groupStatuses),
  account_count: z.number(),
  account_active: z.number().describe("accounts whose status is active"),
  result: z.string().describe('"active / all"'),
  created_at: time,
  updated_at: time,
});

export const account = z.object({
  id: uuid,
  group_id: uuid,
  service_type: serviceType,
  website: z.string(),
  username: z.string(),
  email: z.string(),
  password: shownSecret,
  app_password: shownSecret,
  pass_mail: shownSecret,
  twofa: shownSecret,
  cookies: shownSecret,
  api_token: shownSecret,
  has_password: z.boolean(),
  has_app_password: z.boolean(),
  has_pass_mail: z.boolean(),
  has_twofa: z.boolean(),
  has_cookies: z.boolean(),
  has_api_token: z.boolean(),
  active: z.boolean().describe("whether its owner wants it used; whether it can be, says the status"),
  status: z.enum(accountStatuses),
  is_indexed: z.boolean(),
  link_rss: z.string(),
  note: z.string(),
  created_at: time,
});

/** An account as an export has it: what an import takes. */
export const exportedAccount = account
  .pick({
    website: true,
    username: true,
    email: true,
    password: true,
    app_password: true,
    pass_mail: true,
    twofa: true,
    cookies: true,
    api_token: true,
    note: true,
    active: true,
  })
  .describe("secrets are null where they are masked, and an import leaves such ones alone");

export const importCounters = z.object({
  imported: z.number(),
  overwritten: z.number(),
  duplicates: z.number(),
  unsupported: z.number(),
  failed: z.number(),
  problems: z.array(z.object({ row: z.number(), problem: z.string() })).describe("additive: why rows failed, the first 100; rows from 1"),
});

const format = anyOf(["json", "csv"]).transform((one) => one ?? ("json" as const));
/** Accounts are for an import: each cell is what it is, and a spreadsheet has to be told that the columns are text. */
const csvToImport = "text/csv; imports again as it is, so import it as text into a spreadsheet";
const csvToRead = "text/csv; a text that a spreadsheet would take for a formula has an apostrophe before it";
const csvOr = <T extends z.ZodType>(json: T, csv: string) => z.union([json, z.string().describe(csv)]);

// Requests and links

/** Kept and answered as it came; what is absent is filled in when work is made of it. */
export const episodeInput = z.looseObject({
  id: z.string().min(1).max(200).optional(),
  title: text.min(1),
  about: text.optional(),
  image_url: text.optional(),
  audio_url: text.optional(),
  language: z.string().max(35).optional(),
  voice: z.string().max(100).optional(),
});

export const requestData = z.looseObject({
  episodes: z.array(episodeInput).max(1000).optional(),
  content_ids: z.array(uuid).max(1000).optional(),
});

const object = z.record(z.string(), z.unknown());

/** One refusal for what is no address, and not one for each thing that it could have been. */
const targetAddress = text.max(2000).refine((value) => value === "" || httpUrl.safeParse(value).success, "not an http(s) address");

/** A group's id, in the letters in which it is kept. */
const groupOfRequest = z
  .string()
  .transform((id) => id.toLowerCase())
  .nullish();

export const requestBody = z.object({
  group_id: groupOfRequest,
  name,
  website: targetAddress.default(""),
  auction_price: z.int().positive().max(1_000_000).describe("credits a unit; 50 to 100 for blog20 and podcast"),
  target: z.int().positive().max(1_000_000).default(10),
  priority: z.int().min(-1000).max(1000).default(0),
  type_request: text.max(100).optional().describe("any word; the service type where it is absent or empty"),
  config: object.default({}),
  data: requestData.default({}),
  folder_urls: object.default({}),
});

export const requestChanges = z.object({
  group_id: groupOfRequest,
  name: name.optional(),
  website: targetAddress.optional(),
  auction_price: z.int().positive().max(1_000_000).optional(),
  target: z.int().positive().max(1_000_000).optional(),
  priority: z.int().min(-1000).max(1000).optional(),
  type_request: text.max(100).optional(),
  config: object.optional(),
  data: requestData.optional(),
  folder_urls: object.optional(),
});

/** A request as its list has it. */
export const requestItem = z.object({
  id: uuid,
  service_type: serviceType,
  group_id: uuid.nullable(),
  name: z.string(),
  website: z.string(),
  auction_price: z.number(),
  target: z.number(),
  created_links: z.number(),
  status: z.enum(requestStatuses),
  type_request: z.string(),
  started_at: timeOrNull,
  completed_at: timeOrNull,
  created_at: time,
});

export const request = requestItem.extend({
  user_id: uuid,
  priority: z.number(),
  config: object,
  data: object,
  folder_urls: object,
  /** Units that are on their sites, of `target`. */
  result: z.string(),
  credits: z.object({ held: z.number().describe("taken for it and not given back"), spent: z.number() }),
  updated_at: time,
});

export const project = z.object({
  id: uuid,
  name: z.string(),
  type: serviceType,
  type_request: z.string(),
  website: z.string(),
  auction_price: z.number(),
  target: z.number(),
  created_links: z.number(),
  status: z.enum(requestStatuses),
  result: z.string(),
  started_at: timeOrNull,
  created_at: time,
});

/** 21 fields, and what is additive behind them. */
export const link = z.object({
  id: uuid,
  service_type: serviceType,
  server_id: uuid.nullable(),
  server_name: z.string().nullable(),
  site_id: uuid.describe("the same for all links on a site"),
  site_name: z.string(),
  email: z.string(),
  username: z.string(),
  password: shownSecret,
  about: z.string(),
  link_profile: z.string(),
  link_post: z.string(),
  status: z.enum(linkStatuses),
  note: z.string(),
  error_message: z.string(),
  retry_count: z.number(),
  max_retries: z.number(),
  is_indexed: z.boolean(),
  started_at: timeOrNull,
  completed_at: timeOrNull,
  created_at: time,
  has_password: z.boolean(),
  account_id: uuid,
  kind: z.enum(["primary", "secondary"]),
  link_rss: z.string(),
});

const counters = <Words extends readonly string[]>(words: Words) =>
  z.object(Object.fromEntries(words.map((word) => [word, z.number()])) as Record<Words[number], z.ZodNumber>);
const stats = z.object({
  success: z.literal(true),
  data: z.object({ requests: counters(requestStatuses), links: counters(linkStatuses) }),
});

export const job = z.object({
  id: uuid,
  kind: z.literal("check"),
  status: z.enum(["running", "completed"]),
  total: z.number(),
  passed: z.number(),
  failed: z.number(),
  created_at: time,
});

const paged = { page, limit };
const checkStarted = z.object({ success: z.literal(true), job_id: uuid, total: z.number() });
const requestColumns = ["created_at", "name", "auction_price", "target", "status", "priority", "started_at", "completed_at"] as const;
const linkColumns = ["created_at", "status", "site_name", "retry_count", "started_at", "completed_at"] as const;

/** Groups, accounts, checks: rows B2-B14 and B26. */
export const accountRoutes = {
  createGroup: {
    method: "POST",
    path: "/groups",
    row: "B2",
    summary: "Makes a group, with accounts where some are given",
    needs: "operator",
    status: 201,
    bodyLimitBytes: IMPORT_BYTES,
    body: z.object({ name, service_type: serviceType, accounts: anyAccountRows.optional(), skip_unsupported: z.boolean().default(true) }),
    answer: z.union([group, z.object({ group, imported: z.number(), skipped: z.number(), failed: z.number() })]),
  },
  listGroups: {
    method: "GET",
    path: "/groups",
    row: "B3",
    summary: "Groups, the newest first",
    needs: "viewer",
    query: z.object({ ...paged, service_type: anyOf(serviceTypes), status: anyOf(groupStatuses), search, min_active: count }),
    answer: listOf(group),
  },
  importGroup: {
    method: "POST",
    path: "/groups/import",
    row: "B6",
    summary: "Makes a group of the accounts of an export",
    needs: "operator",
    bodyLimitBytes: IMPORT_BYTES,
    body: z.object({
      service_type: serviceType,
      name,
      accounts: accountRows,
      skip_unsupported: z.boolean().default(true),
      overwrite: z.boolean().default(false),
    }),
    answer: importCounters.extend({ group: group.pick({ id: true, name: true }) }),
  },
  readGroup: { method: "GET", path: "/groups/:id", row: "B4", summary: "One group", needs: "viewer", answer: group },
  changeGroup: {
    method: "PUT",
    path: "/groups/:id",
    row: "B4",
    summary: "Changes a group's name or status; on an inactive one no request starts, and nobody gets its links that wait",
    needs: "operator",
    body: z.object({ name: name.optional(), status: z.enum(groupStatuses).optional() }),
    answer: group,
  },
  deleteGroup: {
    method: "DELETE",
    path: "/groups/:id",
    row: "B4",
    summary: "Deletes a group with its accounts; not while a request on it runs",
    needs: "operator",
    answer: done,
  },
  exportGroup: {
    method: "GET",
    path: "/groups/:id/export",
    row: "B5",
    summary: "The group as an import takes it, as JSON or CSV",
    needs: "viewer",
    streamed: true,
    query: z.object({ format }),
    answer: csvOr(z.object({ name: z.string(), service_type: serviceType, accounts: z.array(exportedAccount) }), csvToImport),
  },
  createAccount: {
    method: "POST",
    path: "/groups/:id/accounts",
    row: "B7",
    summary: "Adds an account to a group",
    needs: "operator",
    status: 201,
    body: accountBody,
    answer: account,
  },
  listAccounts: {
    method: "GET",
    path: "/groups/:id/accounts",
    row: "B8",
    summary: "The accounts of a group, the newest first",
    needs: "viewer",
    query: z.object({ ...paged, status: anyOf(accountStatuses), search }),
    answer: listOf(account),
  },
  importAccounts: {
    method: "POST",
    path: "/groups/:id/accounts/import",
    row: "B9",
    summary: "Adds the accounts of an export to a group, 500 at a time; one that broke off is sent again as a whole",
    needs: "operator",
    bodyLimitBytes: IMPORT_BYTES,
    body: z.object({ accounts: accountRows, overwrite: z.boolean().default(false), skip_unsupported: z.boolean().default(true) }),
    answer: importCounters,
  },
  checkAll: {
    method: "POST",
    path: "/groups/:id/accounts/check-all",
    row: "B10",
    summary: "Asks the farms to sign in to each account of a group",
    needs: "operator",
    status: 202,
    answer: checkStarted,
  },
  readAccount: { method: "GET", path: "/accounts/:id", summary: "One account", needs: "viewer", answer: account },
  changeAccount: {
    method: "PUT",
    path: "/accounts/:id",
    row: "B11",
    summary: "Changes what is given; null leaves a field alone, an empty text clears it",
    needs: "operator",
    body: accountBody.extend({ website: website.nullish() }),
    answer: account,
  },
  deleteAccount: { method: "DELETE", path: "/accounts/:id", row: "B11", summary: "Deletes an account", needs: "operator", answer: done },
  checkAccount: {
    method: "POST",
    path: "/accounts/:id/check",
    row: "B12",
    summary: "Asks the farms to sign in to one account",
    needs: "operator",
    status: 202,
    answer: checkStarted,
  },
  deleteAccounts: {
    method: "POST",
    path: "/accounts/bulk-delete",
    row: "B13",
    summary: "Deletes accounts",
    needs: "operator",
    body: bulkBody,
    answer: bulkAnswer,
  },
  exportAccounts: {
    method: "POST",
    path: "/accounts/export",
    row: "B14",
    summary: "Accounts as an import takes them, as JSON or CSV",
    needs: "viewer",
    streamed: true,
    query: z.object({ format }),
    body: bulkBody,
    answer: csvOr(z.object({ accounts: z.array(exportedAccount) }), csvToImport),
  },
  readJob: { method: "GET", path: "/jobs/:id", summary: "How far checks are", needs: "viewer", answer: job },
  countSites: {
    method: "GET",
    path: "/sites/count",
    row: "B26",
    summary: "How many different sites the active accounts of a type are on",
    needs: "viewer",
    query: z.object({ type: anyOf(serviceTypes) }),
    answer: z.object({ success: z.literal(true), data: z.object({ type: z.string(), count: z.number() }) }),
  },
} as const satisfies ApiRoutes;

const words = { type: serviceTypes } as const;

/** Projects, requests, links, stats: rows B1 and B15-B25. */
export const requestRoutes = {
  listProjects: {
    method: "GET",
    path: "/projects",
    row: "B1",
    summary: "Requests of all types, the newest first",
    needs: "viewer",
    query: z.object({
      ...paged,
      search,
      status: anyOf(requestStatuses),
      type: anyOf(serviceTypes),
      type_request: queryText({ most: 100 }),
    }),
    answer: listOf(project),
  },
  createRequest: {
    method: "POST",
    path: "/:type",
    words,
    row: "B15",
    summary: "Orders work; price × target credits are reserved",
    needs: "operator",
    status: 201,
    body: requestBody,
    answer: request,
  },
  listRequests: {
    method: "GET",
    path: "/:type",
    words,
    row: "B16",
    summary: "Requests of a type",
    needs: "viewer",
    query: z.object({ ...paged, status: anyOf(requestStatuses), search, ...sorting(requestColumns) }),
    answer: listOf(requestItem),
  },
  readRequest: { method: "GET", path: "/:type/:id", words, row: "B17", summary: "One request", needs: "viewer", answer: request },
  changeRequest: {
    method: "PUT",
    path: "/:type/:id",
    words,
    row: "B17",
    summary:
      "Changes a request; of one that runs or is completed only its name and priority. One that is stopped or failed has its new price and target from its restart on",
    needs: "operator",
    body: requestChanges,
    answer: request,
  },
  deleteRequest: {
    method: "DELETE",
    path: "/:type/:id",
    words,
    row: "B17",
    summary: "Deletes a request; what was not posted is refunded",
    needs: "operator",
    answer: done,
  },
  startRequest: {
    method: "POST",
    path: "/:type/:id/start",
    words,
    row: "B18",
    summary: "Makes the work of the accounts of an active group",
    needs: "operator",
    answer: request,
  },
  stopRequest: {
    method: "POST",
    path: "/:type/:id/stop",
    words,
    row: "B18",
    summary: "Cancels what is not posted, and refunds it; of a completed request it cancels the imports that are open",
    needs: "operator",
    answer: request,
  },
  restartRequest: {
    method: "POST",
    path: "/:type/:id/restart",
    words,
    row: "B18",
    summary: "Queues failed and canceled links again, and makes no others; for a failed one it is one more try, which retry_count counts",
    needs: "operator",
    answer: request,
  },
  deleteRequests: {
    method: "POST",
    path: "/requests/bulk-delete",
    row: "B19",
    summary: "Deletes requests",
    needs: "operator",
    body: bulkBody,
    answer: bulkAnswer,
  },
  exportRequests: {
    method: "POST",
    path: "/requests/export",
    row: "B19",
    summary: "Requests, as JSON or CSV",
    needs: "viewer",
    streamed: true,
    query: z.object({ format }),
    body: bulkBody,
    answer: csvOr(z.object({ requests: z.array(request) }), csvToRead),
  },
  listLinks: {
    method: "GET",
    path: "/:type/:id/links",
    words,
    row: "B20",
    summary: "The links of a request",
    needs: "viewer",
    query: z.object({ ...paged, status: anyOf(linkStatuses), search, ...sorting(linkColumns) }),
    answer: listOf(link),
  },
  exportLinks: {
    method: "GET",
    path: "/:type/:id/links/export",
    words,
    row: "B21",
    summary: "All links of a request, as JSON or CSV",
    needs: "viewer",
    streamed: true,
    query: z.object({ format }),
    answer: csvOr(z.object({ links: z.array(link) }), csvToRead),
  },
  retryLink: {
    method: "POST",
    path: "/:type/:id/links/:linkId/retry",
    words,
    row: "B22",
    summary: "Queues a failed link again; of a stopped request that is restarted first",
    needs: "operator",
    answer: link,
  },
  retryLinks: {
    method: "POST",
    path: "/:type/:id/links/retry-all",
    words,
    row: "B23",
    summary: "Queues all failed links of a request again; one that is stopped is restarted first",
    needs: "operator",
    answer: z.object({ success: z.literal(true), retried: z.number() }),
  },
  deleteLink: {
    method: "DELETE",
    path: "/:type/:id/links/:linkId",
    words,
    row: "B24",
    summary: "Deletes a link; a farm that has it stops",
    needs: "operator",
    answer: done,
  },
  readStats: { method: "GET", path: "/stats", row: "B25", summary: "Requests and links by status", needs: "viewer", answer: stats },
  readTypeStats: {
    method: "GET",
    path: "/:type/stats",
    words,
    row: "B25",
    summary: "Requests and links of a type by status",
    needs: "viewer",
    answer: stats,
  },
} as const satisfies ApiRoutes;
