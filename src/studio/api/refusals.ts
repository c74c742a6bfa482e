import { z } from "zod";
import { BadCall, type BadCallKind } from "../../kit/api/bad-call.ts";
import type { Refusal } from "../../kit/api/serve.ts";
import { Refused } from "../refused.ts";
import { refusalText } from "../resources/answer.ts";
import { problemsOf, Rejected, type Problem } from "../resources/problems.ts";

const badCalls: Readonly<Record<BadCallKind, readonly [status: number, message: string]>> = {
  no_address: [404, "There is nothing under this address."],
  nul_character: [400, "The request holds a NUL character."],
  malformed_json: [400, "The body is not JSON."],
};

/** Of the HTTP library, for what it refuses before a route sees it. */
const libraryErrors: Readonly<Record<string, readonly [status: number, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, "The body is larger than 1 MiB."],
  FST_REQ_FILE_TOO_LARGE: [413, "The file is too large."],
};

/** Any thrown value in the envelope of PodOps: {status, message, errors?}. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Rejected) return say(thrown.status, thrown.message, thrown.problems);
  if (thrown instanceof BadCall) return say(...badCalls[thrown.kind]);
  if (thrown instanceof z.ZodError) {
    const problems = problemsOf(thrown);
    return say(400, problems.map(({ path, message }) => `${path || "body"}: ${message}`).join("; "), problems);
  }
  // The web studio tells more kinds of refusal apart than PodOps has.
  if (thrown instanceof Refused)
    return say([403, 404, 413, 429, 507].includes(thrown.status) ? thrown.status : 400, refusalText(thrown.text));
  const { code = "", statusCode = 500, message = "" } = (thrown ?? {}) as { code?: string; statusCode?: number; message?: string };
  if (libraryErrors[code]) return say(...libraryErrors[code]);
  // The form, or the connection that it came by, broke off.
  if (code === "ERR_STREAM_PREMATURE_CLOSE" || message.startsWith("Unexpected end of")) return say(400, "The request can't be read.");
  if (statusCode >= 400 && statusCode < 500) return say(statusCode === 413 ? 413 : 400, "The request can't be read.");
  return { ...say(500, "Something broke inside the studio; its log says what."), broken: true };
}

function say(status: number, message: string, problems: readonly Problem[] = []): Refusal {
  return { status, body: { status, message, ...(problems.length > 0 && { errors: problems }) }, retryAfterMs: null, broken: false };
}
