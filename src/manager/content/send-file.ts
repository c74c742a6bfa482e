import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";

/** First and last byte; null: all of it; "none": there is no such part. */
type Range = { from: number; to: number } | null | "none";

/**
 * RFC 9110. One range is served; several at once, other units and what can't be read are answered with all of the file, as the
 * standard lets a server do.
 */
function readRange(header: string | undefined, bytes: number): Range {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") return Number(last) === 0 ? "none" : { from: Math.max(0, bytes - Number(last)), to: bytes - 1 };
  const [from, to] = [Number(first), last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1)];
  if (from >= bytes) return "none";
  return last !== "" && Number(last) < from ? null : { from, to };
}

/**
 * Answers GET and HEAD with a file that never changes: whole or in part (206, 416), or not at all for who has it (304).
 * @param etag with its quotes
 * @throws ApiError not_found
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { path, mime, etag }: { path: string; mime: string; etag: string },
): Promise<FastifyReply> {
  const { size } = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? new ApiError("not_found") : error;
  });
  reply.headers({ etag, "accept-ranges": "bytes", "cache-control": "public, max-age=31536000, immutable" });
  if (isKnown(request.headers["if-none-match"], etag)) return reply.code(304).send();
  const whole = request.method === "HEAD" || (request.headers["if-range"] ?? etag) !== etag;
  const range = whole ? null : readRange(request.headers.range, size);
  if (range === "none") return reply.code(416).header("content-range", `bytes */${size}`).send();
  const { from, to } = range ?? { from: 0, to: size - 1 };
  if (range) reply.code(206).header("content-range", `bytes ${from}-${to}/${size}`);
  reply.headers({ "content-type": mime, "content-length": to - from + 1 });
  return request.method === "HEAD" ? reply.send() : reply.send(createReadStream(path, { start: from, end: to }));
}

function isKnown(header: string | undefined, etag: string): boolean {
  return header?.trim() === "*" || (header ?? "").split(",").some((one) => one.trim().replace(/^W\//, "") === etag);
}

/** RFC 6266: the plain name for old clients, the true one for all others. */
export function contentDisposition(filename: string): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(filename).replaceAll(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  return `inline; filename="${plain}"; filename*=UTF-8''${exact}`;
}
