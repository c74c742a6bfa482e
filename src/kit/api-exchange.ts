import type { ApiRoute } from "../contract/api-route.ts";
import { parseRetryAfter } from "./http.ts";

export interface SentCall {
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | number | undefined>>;
  body?: unknown;
}

export interface ExchangeOptions {
  url: string;
  deadlineMs: number;
  fetch: typeof globalThis.fetch;
}

/** What became of a call. */
export type Outcome =
  | { kind: "answered"; answer: unknown }
  /** `code` is "" where something before the manager refused. */
  | { kind: "refused"; status: number; code: string; message: string; retryAfterMs: number | null; answer: unknown }
  /** But for "unreachable" and "moved" it may have been carried out. */
  | { kind: "unreachable" | "moved" | "late" | "unreadable"; message: string; cause?: Error };

/** Of a manager, which may be below a path of its host; without a slash at its end. */
export function baseOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, "");
}

/** One call. */
export async function exchange(
  { url, deadlineMs, fetch }: ExchangeOptions,
  { method, path, streamed }: ApiRoute<string>,
  prefix: string,
  { params = {}, query = {}, body }: SentCall,
  token: string | null,
): Promise<Outcome> {
  const address = new URL(baseOf(url) + prefix + path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? "")));
  for (const [name, value] of Object.entries(query)) if (value !== undefined) address.searchParams.set(name, String(value));
  const sent: RequestInit = {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    // Passwords and tokens go where they were meant to go, and nowhere else.
    redirect: "manual",
  };
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(new DOMException("", "TimeoutError")), deadlineMs);
  try {
    const response = await fetch(address, { ...sent, signal: patience.signal });
    if (isMoved(response)) return moved(response);
    if (response.status === 204) return { kind: "answered", answer: undefined };
    // What has no bound is late when nothing of it comes any more.
    return read(response, await textOf(response, () => streamed && timer.refresh()));
  } catch (cause) {
    return unanswered(cause as Error, deadlineMs);
  } finally {
    clearTimeout(timer);
  }
}

/** A browser shows no more of it than its type. */
const isMoved = ({ status, type }: Response): boolean => type === "opaqueredirect" || (status >= 300 && status < 400);

function moved({ headers, url }: Response): Outcome {
  const to = headers.get("location");
  return { kind: "moved", message: `it sends callers on${to && URL.canParse(to, url) ? ` to ${new URL(to, url).href}` : " elsewhere"}` };
}

async function textOf({ body }: Response, onPiece: () => void): Promise<string> {
  let text = "";
  if (!body) return text;
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    onPiece();
    text += piece;
  }
  return text;
}

function read({ ok, status, headers }: Response, text: string): Outcome {
  const type = headers.get("content-type")?.split(";", 1)[0] ?? "";
  const answer = type.includes("json") ? parse(text) : ok && type === "text/csv" ? text : undefined;
  if (ok && answer !== undefined) return { kind: "answered", answer };
  if (ok) return { kind: "unreadable", message: `the answer is ${type || "of no type"}, and no JSON` };
  const { message = `HTTP ${status}`, code = "" } = (answer ?? {}) as { message?: string; code?: string };
  return { kind: "refused", status, code, message, retryAfterMs: parseRetryAfter(headers.get("retry-after")), answer };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Said before anything was sent; after that nobody knows. */
const unreachable = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"];

function unanswered(cause: Error, deadlineMs: number): Outcome {
  if (cause.name === "TimeoutError") return { kind: "late", message: `no answer within ${deadlineMs / 1000} s`, cause };
  const { code = "", message } = (cause.cause ?? cause) as { code?: string; message: string };
  return { kind: unreachable.includes(code) ? "unreachable" : "late", message: code || message, cause };
}
