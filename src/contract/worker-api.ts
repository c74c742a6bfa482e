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
  kind: z.enum(["primary", "secondary"]).optional().catch(undefined),
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

/** W7. Strict on our own input only where the text says so: extra fields are ignored. */
export const completeBody = z.object({ link_post: z.url({ protocol: /^https?$/ }), note: z.string().max(100_000).optional() });
/** What finishes a secondary task by its account's id, or by its own. */
export const insertBody = completeBody.extend({ id: z.string().optional(), account_id: z.string().optional() });
/** W8. `username` is never overridden; `api_token` is additive. */
export const accountFields = ["link_rss", "cookie", "email", "password", "pass_mail", "twofa", "app_password", "api_token"] as const;
export type AccountField = (typeof accountFields)[number];
/** W9. `code` and `retry: false` (permanent) are additive. */
export const failBody = z.object({
  error_message: z.string().max(10_000),
  code: z.string().max(100).optional(),
  retry: z.boolean().optional(),
});

export const workerHeaders = { apiKey: "x-api-key", workerId: "x-worker-id", sites: "x-worker-sites" } as const;

/** One report of the farm, in the order in which it must reach the manager. */
export type Report =
  | { kind: "start" }
  | { kind: "complete"; link_post: string; note?: string }
  | { kind: "account"; link_rss?: string; cookie?: string }
  | { kind: "fail"; error_message: string; code: string; retry: boolean };
