import type { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { StudioContext } from "../context.ts";
import { askedRange } from "./byte-range.ts";
import { judge, rangeStillFits } from "./conditions.ts";
import { etagOf, typeOf } from "./names.ts";
import { S3Error } from "./s3-client.ts";
import type { ByteRange, MediaFile } from "./store.ts";

/** An address changes with the content, so a copy may be kept for ever. */
const FOR_EVER = "public, max-age=31536000, immutable";
const RETRY_AFTER_S = "5";
/** A file never changes; only that it is there is worth another look. */
const FACTS_LIVE_MS = 60_000;
const KEPT_FACTS = 10_000;

/**
 * Answers GET and HEAD of one media file by RFC 9110: 200, 206 with the bytes that were asked for, 304 to who has it, 412 and 416
 * where a condition or a range can't be met, 404, and 503 while a store elsewhere does not answer.
 */
export function createMediaServer(context: Pick<StudioContext, "media" | "log">) {
  const facts = new Map<string, { file: MediaFile; at: number }>();

  async function look(name: string): Promise<MediaFile | null> {
    const known = facts.get(name);
    if (known && performance.now() - known.at < FACTS_LIVE_MS) return known.file;
    facts.delete(name);
    const file = await context.media.head(name);
    if (file) facts.set(name, { file, at: performance.now() });
    if (facts.size > KEPT_FACTS) facts.delete(facts.keys().next().value ?? "");
    return file;
  }

  /** @returns null when there is no such file */
  async function find(request: FastifyRequest, name: string): Promise<Found | null> {
    const type = typeOf(name);
    const file = type && (await look(name));
    if (!file) return null;
    const found = plan(request, file);
    const headers = { ...common, ...found.headers, ...(found.range && { "content-type": type }) };
    if (found.range === null || request.method === "HEAD") return { code: found.code, headers, stream: null };
    const stream = await context.media.read(name, found.range === "whole" ? undefined : found.range);
    if (!stream) facts.delete(name);
    return stream && { code: found.code, headers, stream };
  }

  return async (request: FastifyRequest, reply: FastifyReply, name: string): Promise<FastifyReply> => {
    const found = await find(request, name).catch((error: unknown) => {
      if (!(error instanceof S3Error)) throw error;
      context.log.warn("the media store does not answer", { name, error: error.message });
      return away;
    });
    if (found)
      return reply
        .code(found.code)
        .headers(found.headers)
        .send(found.stream ?? undefined);
    reply.callNotFound();
    return reply;
  };
}

interface Found {
  code: number;
  headers: Record<string, string | number>;
  stream: Readable | null;
}

const away: Found = { code: 503, headers: { "retry-after": RETRY_AFTER_S, "cache-control": "no-store" }, stream: null };

const common = {
  "accept-ranges": "bytes",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
} as const;

interface Plan {
  code: number;
  headers: Record<string, string | number>;
  /** What of the file is sent; null: nothing. */
  range: ByteRange | "whole" | null;
}

/** A range is for GET alone; the conditions come before it. */
function plan({ method, headers }: FastifyRequest, file: MediaFile): Plan {
  const { bytes, changedAt } = file;
  const etag = etagOf(file.name);
  const kept = { etag, "last-modified": changedAt.toUTCString(), "cache-control": FOR_EVER };
  const verdict = judge(headers, { etag, changedAt });
  if (verdict === "failed") return { code: 412, headers: { etag, "cache-control": "no-store" }, range: null };
  if (verdict === "not modified") return { code: 304, headers: kept, range: null };
  const fits = method === "GET" && rangeStillFits(oneOf(headers["if-range"]), { etag, changedAt });
  const range = fits ? askedRange(headers.range, bytes) : "whole";
  if (range === "unsatisfiable")
    return { code: 416, headers: { etag, "content-range": `bytes */${bytes}`, "cache-control": "no-store" }, range: null };
  if (range === "whole") return { code: 200, headers: { ...kept, "content-length": bytes }, range };
  const { start, end } = range;
  const part = { "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${bytes}` };
  return { code: 206, headers: { ...kept, ...part }, range };
}

const oneOf = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header);
