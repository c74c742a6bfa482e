import { fetch, type Dispatcher, type RequestInit, type Response } from "undici";

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

/** @param value header Retry-After: seconds, or an HTTP date. @returns ms from `now`; null when absent or neither */
export function parseRetryAfter(value: string | null, now = Date.now()): number | null {
  const text = value?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Date.parse takes almost anything that ends in a number.
  if (!/^[A-Z][a-z]+, .+ GMT$/.test(text)) return null;
  const date = Date.parse(text);
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
  const text = await readText(response);
  return {
    status: response.status,
    headers: response.headers as unknown as Headers,
    body: parse(text, response.headers.get("content-type")),
    retryAfterMs: parseRetryAfter(response.headers.get("retry-after")),
  };
}

/** Counted as it comes: a length may be absent, untrue, or that of the compressed form. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES / 1024 / 1024} MB`);
    chunks.push(chunk as Uint8Array);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function parse(text: string, type: string | null): unknown {
  if (!type?.includes("json")) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
