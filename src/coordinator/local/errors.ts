import { z } from "zod";
import { BadCall } from "../../kit/api/bad-call.ts";
import type { Refusal } from "../../kit/api/serve.ts";

/** Every refusal of the farm's port, by its code: the HTTP status is the code's first three digits. */
export const taskErrors = {
  40001: "A parameter is missing or is none that it may be",
  40002: "script_name is missing",
  40003: "There is no such script",
  40100: "This needs a word that the call does not bring",
  40300: "This host name or page is not allowed; ALLOWED_HOSTS names those that are",
  40301: "The plan has no API",
  40401: "There is nothing of that name",
  40901: "The present state does not allow this",
  41301: "The body is larger than 1 MiB (imports of accounts: 32 MiB)",
  41501: "The body is no JSON: send Content-Type: application/json",
  42901: "Too many calls with a wrong word; wait as long as Retry-After says",
  50001: "Something broke inside the farm; its log says what",
} as const;
export type TaskErrorCode = keyof typeof taskErrors;

/** A call that is refused. The message names fields, and never holds a secret. */
export class TaskApiError extends Error {
  override readonly name = "TaskApiError";
  readonly code: TaskErrorCode;
  readonly retryAfterMs: number | null;

  constructor(code: TaskErrorCode, detail = "", retryAfterMs: number | null = null) {
    super(detail ? `${taskErrors[code]}: ${detail}` : `${taskErrors[code]}.`);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Codes of the HTTP library for what it refuses before a route sees it. */
const libraryErrors: Readonly<Record<string, TaskErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 41301,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 41501,
};

const badCalls = {
  no_address: [40401, "no such address"],
  nul_character: [40001, "the call holds a NUL character"],
  malformed_json: [40001, "the body is not JSON"],
} as const satisfies Record<BadCall["kind"], readonly [TaskErrorCode, string]>;

/** Any thrown value in the envelope of the Task API; what nobody foresaw is 50001. */
export function refusalOf(thrown: unknown): Refusal {
  const { code, message, retryAfterMs } = toTaskError(thrown);
  const body = { code, message, data: null };
  return { status: Math.floor(code / 100), body, retryAfterMs, broken: code === 50001 };
}

function toTaskError(thrown: unknown): TaskApiError {
  if (thrown instanceof TaskApiError) return thrown;
  if (thrown instanceof BadCall) {
    const [called, detail] = badCalls[thrown.kind];
    return new TaskApiError(called, detail);
  }
  if (thrown instanceof z.ZodError) return fromZod(thrown);
  const { code = "", statusCode = 500 } = (thrown ?? {}) as { code?: string; statusCode?: number };
  const known = libraryErrors[code];
  if (known) return new TaskApiError(known);
  return statusCode >= 400 && statusCode < 500 ? new TaskApiError(40001, "the call can't be read") : new TaskApiError(50001);
}

/** All problems at once; a script that is not named has a code of its own. */
function fromZod(error: z.ZodError): TaskApiError {
  const unnamed = error.issues.some(
    ({ path, code, input }) => path[0] === "script_name" && (input === undefined || input === null || code === "too_small"),
  );
  if (unnamed) return new TaskApiError(40002);
  return new TaskApiError(40001, sayIssues(error));
}

/** @param at put before each path */
export function sayIssues(error: z.ZodError, at = ""): string {
  return error.issues
    .map(({ path, message }) => `${[at, ...path].filter((part) => part !== "").join(".") || "body"}: ${message}`)
    .join("; ");
}
