import type { APIResponse, Request, Route } from "playwright";
import type { PublishRequest } from "./contract.ts";

/** Whether a request is the irreversible one. */
export function isPublishRequest(pattern: PublishRequest, request: { method: string; url: string; body: string | null }): boolean {
  if (request.method !== pattern.method || !pattern.url.test(request.url)) return false;
  return !pattern.body || (request.body !== null && pattern.body.test(request.body));
}

export function isHeldRequest(pattern: PublishRequest, request: Request): boolean {
  return isPublishRequest(pattern, { method: request.method(), url: request.url(), body: pattern.body ? request.postData() : null });
}

/** What the site answered to the irreversible request. */
export interface HeldAnswer {
  httpStatus: number;
  /** Where it redirects to, absolute; "" where it does not. */
  location: string;
  /** What it said, shortened; only read from refusals. */
  message: string;
}

/**
 * Lets a held request go, exactly once on the wire, and gives the page its answer.
 * The engine sends it in the browser's place: Chromium itself sends a POST again when a kept-alive socket drops after the
 * server has handled it, and no page notices.
 */
export async function sendHeld(route: Route, pattern: PublishRequest, timeoutMs: number): Promise<HeldAnswer> {
  if (pattern.via === "continue") {
    await route.continue();
    const response = await route.request().response();
    if (!response) throw new Error("the browser got no answer");
    return { httpStatus: response.status(), location: absolute(response.headers()["location"], route.request().url()), message: "" };
  }
  const response = await route.fetch({ maxRetries: 0, maxRedirects: 0, timeout: timeoutMs });
  const answer = await readAnswer(response, route.request().url());
  // The answer counts from here on; a page that is gone can't take it, and that changes nothing.
  await route.fulfill({ response }).catch(() => undefined);
  return answer;
}

export async function readAnswer(response: APIResponse, url: string): Promise<HeldAnswer> {
  const httpStatus = response.status();
  const message = httpStatus >= 400 ? readMessage(await response.text().catch(() => "")) : "";
  return { httpStatus, location: absolute(response.headers()["location"], url), message };
}

function absolute(location: string | undefined, base: string): string {
  return location && URL.canParse(location, base) ? new URL(location, base).href : "";
}

/** The sentence of a JSON error, or the beginning of the text. */
function readMessage(text: string): string {
  const found = /"(?:message|error|detail)"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return (found ?? text.replace(/<[^>]*>/g, " ")).replace(/\s+/g, " ").trim().slice(0, 300);
}
