import { z } from "zod";

/**
 * The Podcast worker API (`/api/v1/podcast`, header `X-API-Key`), rows W1-W10.
 * Loose towards a foreign manager: unknown fields are kept, blanks and nulls are both "".
 */
const blank = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

/** W4. `audio_url`, `language` and `voice` are additive: without audio the farm narrates `about`. */
export const workerEpisode = z.looseObject({
  id: z.string().min(1),
  title: blank,
  about: blank,
  image_url: blank,
  audio_url: blank.optional(),
  language: blank.optional(),
  voice: blank.optional(),
});
export type WorkerEpisode = z.infer<typeof workerEpisode>;

/**
 * W2. Credentials are "" when absent. What stands behind `kind` is additive: a secondary task has no episodes but `link_rss`, the
 * feed to import. `feed_*` is the mailbox of whoever owns that feed, where it may be another one than the account's.
 * `cookie` is `k=v; k2=v2` for `domain`; `domain` carries a port that is not the default. */
export const workerTask = z.looseObject({
  id: z.string().min(1),
  request_id: blank,
  type_request: blank,
  status: z.string(),
  account_id: blank,
  group_id: blank,
  target: z.number().nullish(),
  accounts_remaining: z.number().nullish(),
  domain: z.string().min(1),
  website: blank,
  email: blank,
  username: blank,
  password: blank,
  pass_mail: blank,
  twofa: blank,
  app_password: blank,
  data_content: z
    .array(workerEpisode)
    .nullish()
    .transform((value) => value ?? []),
  cookie: blank,
  /** Additive: a token for the site's own API. */
  api_token: blank.optional(),
  /** "check" is the farm's own word for a sign-in to try; `/links` has none. */
  kind: z.enum(["primary", "secondary", "check"]).optional().catch(undefined),
  /** The task's own id where `id` is its account's (a secondary's, which the API calls by its account). */
  link_id: blank.optional(),
  link_rss: blank.optional(),
  feed_email: blank.optional(),
  feed_app_password: blank.optional(),
  feed_pass_mail: blank.optional(),
});
export type WorkerTask = z.infer<typeof workerTask>;

export const workerTaskList = z.looseObject({ success: z.boolean(), data: z.array(z.unknown()) });
/** W5: our manager wraps the object; others answer it bare. */
export const workerTaskAnswer = z.union([
  z.looseObject({ success: z.literal(true), data: workerTask }).transform((a) => a.data),
  workerTask,
]);

const httpAddress = z.url({ protocol: /^https?$/ });
/**
 * W7. Strict on our own input only where the text says so: extra fields are ignored. What follows `note` is additive; a repeat
 * with the same link_post may bring it later.
 */
export const completeBody = z.object({
  link_post: httpAddress,
  note: z.string().max(100_000).optional(),
  about: z.string().max(100_000).optional().describe("what the account's profile says of it"),
  link_profile: z
    .union([httpAddress, z.literal("")], "not an http(s) address")
    .optional()
    .describe("the account's profile"),
  is_indexed: z.boolean().optional().describe("whether a search engine has the page"),
});
/** What finishes a secondary task by its account's id, or by its own. */
export const insertBody = completeBody.extend({ id: z.string().optional(), account_id: z.string().optional() });
/** W8. `username` is never overridden; `api_token` is additive. */
export const accountFields = ["link_rss", "cookie", "email", "password", "pass_mail", "twofa", "app_password", "api_token"] as const;
export type AccountField = (typeof accountFields)[number];
/** Of `posted`: entries, and characters of an episode's id and of its address. */
export const postedLimits = { entries: 20_000, id: 1000, link: 4000 } as const;
/** W9. `code`, `retry: false` (permanent) and `posted` are additive. */
export const failBody = z.object({
  error_message: z.string().max(10_000),
  code: z.string().max(100).optional(),
  retry: z.boolean().optional(),
  posted: z
    .record(z.string().min(1).max(postedLimits.id), z.string().max(postedLimits.link))
    .refine((posted) => Object.keys(posted).length <= postedLimits.entries, `names more than ${postedLimits.entries} episodes`)
    .optional()
    .describe("what is on the site all the same: the address of each episode by its id. It is charged, and nobody posts it again"),
});

/** Additive: a sign-in to try, without posting anything. Secrets are "" when absent. */
export const workerCheck = z.looseObject({
  id: z.string().min(1),
  account_id: blank,
  domain: z.string().min(1),
  email: blank,
  username: blank,
  password: blank,
  pass_mail: blank,
  twofa: blank,
  app_password: blank,
  api_token: blank,
  cookie: blank,
});
/** How a check went. */
export const checkBody = z.object({ ok: z.boolean(), error_message: z.string().max(10_000).optional() });

export const workerHeaders = { apiKey: "x-api-key", workerId: "x-worker-id", sites: "x-worker-sites" } as const;

/** One report of the farm, in the order in which it must reach the manager. */
export type Report =
  | { kind: "start" }
  | { kind: "complete"; link_post: string; note?: string }
  | { kind: "account"; link_rss?: string; cookie?: string }
  | { kind: "fail"; error_message: string; code: string; retry: boolean; posted?: Record<string, string> }
  | { kind: "check"; ok: boolean; error_message?: string };
