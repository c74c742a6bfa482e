import type { IncomingHttpHeaders } from "node:http";

/** Where the body of a PUT belongs in the whole file. */
export interface PartHeaders {
  offset: number;
  /** Size of the whole file, bytes. */
  total: number;
  /** Of the whole file, hex; absent: not said. */
  sha256?: string;
}

/**
 * Reads what a resumable upload says of its part, in any of the ways that clients have:
 * `Content-Range: bytes 0-1023/4096` (and `bytes * /4096` without the blank, with an empty body: all is there, finish);
 * `Upload-Offset: 0` with `Upload-Length: 4096` (tus); neither: the body is the whole file, of the size `Content-Length`.
 * `Repr-Digest: sha-256=:…:` (RFC 9530) is the whole file's.
 * @returns null when they contradict each other or can't be read
 */
export function readPartHeaders(headers: IncomingHttpHeaders, offsetOfAll?: number): PartHeaders | null {
  const place = placeOf(headers, offsetOfAll);
  if (!place) return null;
  const digest = headers["repr-digest"];
  if (digest === undefined) return place;
  const sha256 = digestOf(String(digest));
  return sha256 ? { ...place, sha256 } : null;
}

function placeOf(headers: IncomingHttpHeaders, offsetOfAll?: number): { offset: number; total: number } | null {
  const length = headers["content-length"] === undefined ? null : Number(headers["content-length"]);
  const range = headers["content-range"];
  if (range !== undefined) {
    const [, first, last, whole, all] = /^bytes (?:(\d+)-(\d+)\/(\d+)|\*\/(\d+))$/.exec(range.trim()) ?? [];
    if (all !== undefined) return length ? null : { offset: offsetOfAll ?? Number(all), total: Number(all) };
    const [offset, end, total] = [Number(first), Number(last), Number(whole)];
    const fits = first !== undefined && offset <= end && end < total && (length === null || length === end - offset + 1);
    return fits ? { offset, total } : null;
  }
  const offset = wholeNumber(headers["upload-offset"]);
  if (offset === undefined) return length === null ? null : { offset: 0, total: length };
  const total = wholeNumber(headers["upload-length"]);
  return offset === null || total === null || total === undefined || offset > total ? null : { offset, total };
}

/** undefined: not there. null: no number */
function wholeNumber(header: string | string[] | undefined): number | null | undefined {
  if (header === undefined) return undefined;
  return /^\d{1,15}$/.test(String(header)) ? Number(header) : null;
}

/** Structured field: a dictionary of byte sequences. Other algorithms are passed over. */
function digestOf(header: string): string | null {
  const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)/i.exec(header)?.[1];
  return base64 ? Buffer.from(base64, "base64").toString("hex") : null;
}
