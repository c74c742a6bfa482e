import { z } from "zod";
import { BadCall, type BadCallKind } from "../kit/api/bad-call.ts";
import type { Refusal } from "../kit/api/serve.ts";
import { PasswordsBusy } from "../kit/passwords.ts";

interface ErrorRow {
  readonly status: number;
  readonly say: string;
}

/** Every refusal of the manager's APIs. One row a code; routes name the code and nothing else. */
export const apiErrors = {
  NO_API_KEY: { status: 401, say: "The header X-API-Key is missing." },
  INVALID_API_KEY: { status: 401, say: "The API key is unknown or revoked." },
  NO_TOKEN: { status: 401, say: "The header Authorization: Bearer … is missing." },
  invalid_token: { status: 401, say: "The token is unknown, was ended, or is none of ours; sign in again." },
  token_expired: { status: 401, say: "The token has expired; refresh it, or sign in again." },
  wrong_login: { status: 401, say: "E-mail and password do not belong together." },
  payment_required: { status: 402, say: "There are not enough credits" },
  forbidden: { status: 403, say: "The API key lacks the scope that this call needs." },
  not_allowed: { status: 403, say: "Your role does not allow this" },
  malformed_json: { status: 400, say: "The body is not JSON." },
  malformed_request: { status: 400, say: "The request can't be read." },
  nul_character: { status: 400, say: "The request holds a NUL character." },
  empty_body: { status: 400, say: "The body is empty." },
  validation: { status: 400, say: "A field is missing or has the wrong type" },
  unprocessable: { status: 422, say: "A field breaks a rule" },
  task_not_found: { status: 404, say: "task not found" },
  not_found: { status: 404, say: "There is nothing under this address." },
  task_claimed: { status: 409, say: "Another worker holds the task." },
  bad_transition: { status: 409, say: "The task's status does not allow this." },
  link_post_differs: { status: 409, say: "The task was completed with another link_post." },
  conflict: { status: 409, say: "The present state does not allow this" },
  too_many: { status: 429, say: "Too many calls; wait as long as Retry-After says." },
  account_exists: { status: 409, say: "The group has another account with this e-mail on the same site." },
  busy: { status: 503, say: "More people sign in than can be served; try again after Retry-After." },
  body_too_large: { status: 413, say: "The body is larger than 1 MiB (imports: 32 MiB)." },
  file_too_large: { status: 413, say: "The file is larger than 200 MB." },
  internal: { status: 500, say: "Something broke inside the manager; its log says what." },
} as const satisfies Record<string, ErrorRow>;

export type ApiErrorCode = keyof typeof apiErrors;

/** A call that is refused. `detail` is for the caller and never holds a secret. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly status: number;
  /** For Retry-After, ms. */
  readonly retryAfterMs: number | null;

  constructor(code: ApiErrorCode, detail = "", retryAfterMs: number | null = null) {
    super(detail ? `${apiErrors[code].say}: ${detail}` : apiErrors[code].say);
    this.code = code;
    this.status = apiErrors[code].status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The worker and Backlink APIs' envelope of a refusal. */
export function encodeError(error: ApiError): { success: false; message: string; code: string } {
  return { success: false, message: error.message, code: error.code };
}

/** Codes of the HTTP library for what it refuses before a route sees it. */
const libraryErrors: Record<string, ApiErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "malformed_request",
  FST_ERR_BAD_URL: "malformed_request",
};

const badCalls: Readonly<Record<BadCallKind, ApiErrorCode>> = {
  no_address: "not_found",
  nul_character: "nul_character",
  malformed_json: "malformed_json",
};

/** Any thrown value as a refusal; what nobody foresaw is `internal`. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof BadCall) return new ApiError(badCalls[thrown.kind]);
  if (thrown instanceof z.ZodError) return fromZod(thrown);
  if (thrown instanceof PasswordsBusy) return new ApiError("busy", "", thrown.retryAfterMs);
  const { code = "", statusCode = 500 } = (thrown ?? {}) as { code?: string; statusCode?: number };
  if (libraryErrors[code]) return new ApiError(libraryErrors[code]);
  return new ApiError(statusCode >= 400 && statusCode < 500 ? "malformed_request" : "internal");
}

/** The same in the envelope of the manager's APIs. */
export function refusalOf(thrown: unknown): Refusal {
  const error = toApiError(thrown);
  return { status: error.status, body: encodeError(error), retryAfterMs: error.retryAfterMs, broken: error.code === "internal" };
}

/** Wrong or missing types are 400; well-formed values that break a rule are 422. The messages name fields, never values. */
function fromZod(error: z.ZodError): ApiError {
  const malformed = error.issues.some(
    ({ code, input }) => code === "invalid_type" || code === "invalid_union" || (code === "invalid_value" && typeof input !== "string"),
  );
  const detail = error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`).join("; ");
  return new ApiError(malformed ? "validation" : "unprocessable", detail);
}
