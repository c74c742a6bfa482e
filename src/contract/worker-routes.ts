import { z } from "zod";
import { done, type ApiRoutes } from "./api-route.ts";
import { accountFields, checkBody, completeBody, failBody, insertBody } from "./worker-api.ts";

/** The Podcast worker API (rows W1-W10) as our manager answers it, under /api/v1/podcast: for its description, and for clients. */

const text = z.string();
const episode = z.object({
  id: text,
  title: text,
  about: text,
  image_url: text,
  audio_url: text.optional(),
  language: text.optional(),
  voice: text.optional(),
});

const task = z
  .object({
    id: text.describe("a secondary's is its account's id"),
    request_id: text,
    type_request: z.literal("post"),
    status: z.enum(["queued", "running", "completed", "failed", "cancel"]),
    account_id: text,
    group_id: text,
    target: z.number(),
    accounts_remaining: z.number(),
    domain: text.describe("the site's host, with its port where that is not the default"),
    website: text,
    email: text,
    username: text,
    password: text,
    pass_mail: text,
    twofa: text,
    app_password: text,
    data_content: z.array(episode).optional().describe("posted one after another; a secondary has none"),
    cookie: text.describe("k=v; k2=v2"),
    api_token: text,
    kind: z.enum(["primary", "secondary"]),
    link_id: text,
    link_rss: text,
    link_post: text,
    note: text,
    error_message: text,
    retry_count: z.number(),
    max_retries: z.number(),
    lease_until: text.nullable(),
    feed_email: text.optional(),
    feed_app_password: text.optional(),
    feed_pass_mail: text.optional(),
  })
  .describe("blank credentials are empty texts");

const check = z.object({
  id: text,
  account_id: text,
  domain: text,
  email: text,
  username: text,
  password: text,
  pass_mail: text,
  twofa: text,
  app_password: text,
  api_token: text,
  cookie: text,
});

const needs = "worker" as const;

export const workerApiRoutes = {
  pull: {
    method: "GET",
    path: "/links",
    row: "W1",
    summary: "Claims tasks for 15 minutes. The headers X-Worker-Id and X-Worker-Sites say which worker asks, and what it can drive",
    needs,
    query: z.object({
      type: text.optional().describe("primary, secondary, or blank for both"),
      limit: text.optional().describe("1 to 1000, 5 where it is absent"),
    }),
    answer: z.object({ success: z.literal(true), data: z.array(task) }),
  },
  read: {
    method: "GET",
    path: "/links/:id",
    row: "W5",
    summary: "One task",
    needs,
    answer: z.object({ success: z.literal(true), data: task }),
  },
  start: { method: "POST", path: "/links/:id/start", row: "W6", summary: "It is worked on from now on", needs, answer: done },
  complete: {
    method: "POST",
    path: "/links/:id/complete",
    row: "W7",
    summary: "All of it is on the site",
    needs,
    body: completeBody,
    answer: done,
  },
  insert: {
    method: "POST",
    path: "/links/insert",
    summary: "A secondary has imported its feed",
    needs,
    body: insertBody,
    answer: z.object({ success: z.literal(true), id: text, account_id: text }),
  },
  account: {
    method: "POST",
    path: "/links/:id/account",
    row: "W8",
    summary: "What the worker learned of the account; its username stays",
    needs,
    body: z.object(Object.fromEntries(accountFields.map((field) => [field, text.optional()]))),
    answer: z.object({ success: z.literal(true), account_id: text, updated_fields: z.number() }),
  },
  fail: {
    method: "POST",
    path: "/links/:id/fail",
    row: "W9",
    summary: "It could not be done; it is handed out again after 1, 2 and 4 minutes unless retry is false",
    needs,
    body: failBody,
    answer: done,
  },
  checks: {
    method: "GET",
    path: "/checks",
    summary: "Claims sign-ins to try, for 15 minutes; nothing is posted",
    needs,
    query: z.object({ limit: text.optional().describe("1 to 1000, 5 where it is absent") }),
    answer: z.object({ success: z.literal(true), data: z.array(check) }),
  },
  check: {
    method: "POST",
    path: "/checks/:id",
    summary: "How a sign-in went: the account is active or failed from now on",
    needs,
    body: checkBody,
    answer: done,
  },
} as const satisfies ApiRoutes;
