import { fetch, type Dispatcher, type RequestInit } from "undici";

/** An answer read to its end. `body` is parsed JSON where the answer is JSON, else text. */
export interface HttpAnswer {
  status: number;
  headers: Headers;
  body: unknown;
  /** From Retry-After (seconds or date), ms from now. */
  retryAfterMs: number | null;
}

export interface HttpRequest {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** The whole exchange, ms. */
  deadlineMs?: number;
  signal?: AbortSignal;
  dispatcher?: Dispatcher;
}

const DEADLINE_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function parseRetryAfter(value: string | null, now = Date.now()): number | null {
  if (!value) return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** One request; any status is an answer. @throws when no whole answer came (refused, reset, deadline). */
export async function requestJson(url: string, request: HttpRequest = {}): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(request.deadlineMs ?? DEADLINE_MS);
  const init: RequestInit = {
    method: request.method ?? "GET",
    headers: { accept: "application/json", ...(request.json !== undefined && { "content-type": "application/json" }), ...request.headers },
    signal: request.signal ? AbortSignal.any([deadline, request.signal]) : deadline,
    redirect: "follow",
  };
  if (request.json !== undefined) init.body = JSON.stringify(request.json);
  if (request.dispatcher) init.dispatcher = request.dispatcher;
  const response = await fetch(url, init);
  const length = Number(response.headers.get("content-length") ?? 0);
  if (length > MAX_ANSWER_BYTES) throw new Error(`the answer is ${length} bytes long`);
  const text = await response.text();
  return { status: response.status, headers: response.headers as unknown as Headers, body: parse(text, response.headers.get("content-type")), retryAfterMs: parseRetryAfter(response.headers.get("retry-after")) };
}

function parse(text: string, type: string | null): unknown {
  if (!type?.includes("json")) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
