import { z } from "zod";
import { accountFields, checkBody, completeBody, failBody, insertBody, type AccountField } from "../contract/worker-api.ts";
import type { AccountChanges } from "./accounts.ts";
import { ApiError } from "./errors.ts";
import type { CompleteOrder, FailOrder } from "./moves.ts";
import type { PullOrder } from "./pull.ts";

const DEFAULT_LIMIT = 5;
const MAX_LIMIT = 1000;
const MAX_FIELD_CHARACTERS = 100_000;

/** null says "not given", as the masked secrets in answers do. */
function withoutNulls(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

/** @throws ZodError */
export function readCompleteBody(body: unknown): CompleteOrder {
  return completeBody.parse(withoutNulls(body));
}

/** @throws ZodError; ApiError validation when it names no task */
export function readInsertBody(body: unknown): { id: string; order: CompleteOrder } {
  const { id, account_id, ...order } = insertBody.parse(withoutNulls(body));
  const named = id ?? account_id;
  if (!named) throw new ApiError("validation", "id or account_id: which task");
  return { id: named, order };
}

/** @throws ZodError */
export function readFailBody(body: unknown): FailOrder {
  return failBody.parse(withoutNulls(body));
}

/** @throws ZodError */
export function readCheckBody(body: unknown): z.output<typeof checkBody> {
  return checkBody.parse(withoutNulls(body));
}

const anyText = z.string().max(MAX_FIELD_CHARACTERS);
/** RFC 5321: 64 before the @ and 255 after it. */
const MAX_EMAIL_CHARACTERS = 320;
const feedLink = z.union([z.literal(""), z.url({ protocol: /^https?$/ })]);
const accountBody: z.ZodType<AccountChanges> = z.object(
  Object.fromEntries(accountFields.map((field) => [field, anyText.optional()])) as Record<AccountField, z.ZodOptional<z.ZodString>>,
);

/** `username` and unknown fields are ignored. @throws ApiError empty_body, unprocessable; ZodError */
export function readAccountBody(body: unknown): AccountChanges {
  if (body === undefined || body === null || (typeof body === "object" && Object.keys(body).length === 0)) throw new ApiError("empty_body");
  const changes = accountBody.parse(withoutNulls(body));
  if (changes.link_rss !== undefined && !feedLink.safeParse(changes.link_rss).success)
    throw new ApiError("unprocessable", "link_rss: not an http(s) address");
  if ((changes.email ?? "").length > MAX_EMAIL_CHARACTERS)
    throw new ApiError("unprocessable", `email: longer than ${MAX_EMAIL_CHARACTERS} characters`);
  return changes;
}

const kinds = { "": null, primary: "primary", secondary: "secondary" } as const;

/** @throws ApiError validation */
export function readPullQuery(query: Record<string, string | string[] | undefined>): Pick<PullOrder, "kind" | "limit"> {
  const { type = "", limit = "" } = query;
  if (typeof type !== "string" || !Object.hasOwn(kinds, type))
    throw new ApiError("validation", "type: primary, secondary, or blank for both");
  return { kind: kinds[type as keyof typeof kinds], limit: readLimit(limit) };
}

function readLimit(limit: string | string[]): number {
  if (limit === "") return DEFAULT_LIMIT;
  const number = typeof limit === "string" ? Number(limit) : Number.NaN;
  if (!Number.isFinite(number)) throw new ApiError("validation", "limit: not a number");
  return Math.min(MAX_LIMIT, Math.max(1, Math.trunc(number)));
}
