import type { IncomingHttpHeaders } from "node:http";

/** What a client's copy is compared with. */
export interface Validators {
  /** With its quotes. */
  etag: string;
  changedAt: Date;
}

/**
 * Whether a GET or HEAD is answered as it stands, in the order of RFC 9110, 13.2.2. An ETag that is given beats a date; dates know
 * whole seconds only.
 */
export function judge(headers: IncomingHttpHeaders, { etag, changedAt }: Validators): "go on" | "not modified" | "failed" {
  const match = headers["if-match"];
  const changedSince = (header: string | undefined): boolean | null => {
    const since = Date.parse(header ?? "");
    return Number.isNaN(since) ? null : wholeSeconds(changedAt) > since;
  };
  if (match !== undefined) {
    if (!lists(match, etag, strong)) return "failed";
  } else if (changedSince(headers["if-unmodified-since"]) === true) return "failed";
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined) return lists(noneMatch, etag, weak) ? "not modified" : "go on";
  return changedSince(headers["if-modified-since"]) === false ? "not modified" : "go on";
}

/** Whether a Range still fits to what the client has: without If-Range it does. A weak ETag never proves that bytes are the same. */
export function rangeStillFits(ifRange: string | undefined, { etag, changedAt }: Validators): boolean {
  if (ifRange === undefined) return true;
  const given = ifRange.trim();
  return given.startsWith('"') || given.startsWith("W/") ? strong(given, etag) : Date.parse(given) === wholeSeconds(changedAt);
}

const strong = (given: string, etag: string): boolean => given === etag && !given.startsWith("W/");
const weak = (given: string, etag: string): boolean => given.replace(/^W\//, "") === etag.replace(/^W\//, "");

function lists(header: string | string[], etag: string, same: typeof weak): boolean {
  const given = String(header).trim();
  return given === "*" || given.split(",").some((one) => same(one.trim(), etag));
}

const wholeSeconds = (date: Date): number => Math.floor(date.getTime() / 1000) * 1000;
