import { readFile } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { parseRssFeed } from "feedsmith";
import { fetch, type Response } from "undici";
import { UsageError } from "../../kit/config.ts";
import { feedText, UnknownEncoding } from "../../media/feed-text.ts";

/** As a player fetches it. */
export interface FetchedFeed {
  /** Where it was found in the end; "" for a file. */
  url: string;
  /** Where it was sent on from, in order. */
  redirects: { status: number; from: string }[];
  /** null: a file. */
  headers: Pick<Headers, "get"> | null;
  bytes: number;
  xml: string;
  /** Until the last byte, ms. */
  tookMs: number;
}

const DEADLINE_MS = 60_000;
/** 10,000 episodes with long notes. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_REDIRECTS = 5;
const MAX_PAGES = 1000;
const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export const USER_AGENT = "Podcrew (podcast publisher)";

/** A feed by its address, or a file of one. @throws UsageError with what was answered instead */
export async function fetchFeed(address: string): Promise<FetchedFeed> {
  if (!/^https?:\/\//i.test(address))
    return readFile(address).then(
      (bytes) => ofFile(bytes, address),
      (error: NodeJS.ErrnoException) => Promise.reject(noFile(address, error)),
    );
  const [began, signal] = [performance.now(), AbortSignal.timeout(DEADLINE_MS)];
  const redirects: FetchedFeed["redirects"] = [];
  try {
    for (let url = new URL(address); ;) {
      const headers = { "user-agent": USER_AGENT, accept: "application/rss+xml, application/xml, text/xml, */*;q=0.5" };
      const response = await fetch(url, { redirect: "manual", signal, headers });
      const next = redirecting.has(response.status) ? URL.parse(response.headers.get("location") ?? "", url) : null;
      if (!next) {
        const bytes = await bytesOf(response, url);
        return {
          url: url.href,
          redirects,
          headers: response.headers,
          bytes: bytes.length,
          xml: textOf(bytes, url.href, response.headers.get("content-type") ?? ""),
          tookMs: performance.now() - began,
        };
      }
      await response.body?.cancel();
      redirects.push({ status: response.status, from: url.href });
      if (redirects.length > MAX_REDIRECTS) throw new UsageError(`${address} sends callers on more than ${MAX_REDIRECTS} times.`);
      url = next;
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    if (signal.aborted) throw new UsageError(`${address} gave no whole answer within ${DEADLINE_MS / 1000} s.`, { cause });
    const { code = "", message } = ((cause as Error).cause ?? cause) as { code?: string; message: string };
    throw new UsageError(`${address} can't be fetched (${code || message}).`, { cause });
  }
}

async function bytesOf(response: Response, url: URL): Promise<Buffer> {
  const { status, ok, body } = response;
  if (!ok) {
    await body?.cancel();
    throw new UsageError(`${url.href} was answered with ${status} (${STATUS_CODES[status] ?? "unknown"}), not with a feed.`);
  }
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += (piece as Uint8Array).byteLength;
    if (bytes > MAX_BYTES) throw new UsageError(`${url.href} is larger than ${MAX_BYTES / 1024 / 1024} MB: no feed.`);
    pieces.push(piece as Uint8Array);
  }
  return Buffer.concat(pieces);
}

/** @throws UsageError */
function textOf(bytes: Buffer, where: string, contentType = ""): string {
  try {
    return feedText(bytes, contentType);
  } catch (cause) {
    if (cause instanceof UnknownEncoding) throw new UsageError(`What stands at ${where} ${cause.message}.`, { cause });
    throw cause;
  }
}

const ofFile = (bytes: Buffer, path: string): FetchedFeed => ({
  url: "",
  redirects: [],
  headers: null,
  bytes: bytes.length,
  xml: textOf(bytes, path),
  tookMs: 0,
});

function noFile(path: string, { code }: NodeJS.ErrnoException): UsageError {
  return new UsageError(`${path} is neither an http(s) address nor a file that can be read (${code}).`);
}

export type ParsedFeed = ReturnType<typeof parseRssFeed<string>>;

/** @throws UsageError */
export function parseFeedOf({ url, xml }: Pick<FetchedFeed, "url" | "xml">): ParsedFeed {
  try {
    return parseRssFeed(xml);
  } catch (cause) {
    throw new UsageError(`What stands at ${url || "the file"} is not a podcast's RSS feed.`, { cause });
  }
}

/** The older pages of a feed, by RFC 5005: archives, or the pages of a paged feed; each once. */
export async function* olderPages(first: FetchedFeed): AsyncGenerator<FetchedFeed> {
  const seen = new Set([first.url]);
  for (let page = first; ;) {
    const links = parseFeedOf(page).atom?.links ?? [];
    const older = links.find(({ rel }) => rel === "prev-archive") ?? links.find(({ rel }) => rel === "next");
    const url = older?.href && URL.parse(older.href, page.url || undefined)?.href;
    if (!url || seen.has(url)) return;
    if (seen.size >= MAX_PAGES) throw new UsageError(`The feed has more than ${MAX_PAGES} pages.`);
    seen.add(url);
    page = await fetchFeed(url);
    yield page;
  }
}
