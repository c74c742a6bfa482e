import type { ByteRange } from "./store.ts";

const LISTED = /^bytes\s*=\s*(.+)$/i;
const ONE = /^(\d*)-(\d*)$/;

/**
 * What a Range header asks for (RFC 9110, 14.1.2). What is malformed is as if it were not there; several ranges at once are
 * answered with the whole, which is allowed and what big stores do.
 * @param bytes size of the file, at least 1
 */
export function askedRange(header: string | undefined, bytes: number): ByteRange | "whole" | "unsatisfiable" {
  const listed = LISTED.exec(header?.trim() ?? "")?.[1];
  const ranges = (listed ?? "")
    .split(",")
    .map((range) => range.trim())
    .filter(Boolean);
  const [, first = "", last = ""] = (ranges.length === 1 && ONE.exec(ranges[0] ?? "")) || [];
  if (first === "" && last === "") return "whole";
  if (first === "") return Number(last) === 0 ? "unsatisfiable" : { start: Math.max(0, bytes - Number(last)), end: bytes - 1 };
  const [start, end] = [Number(first), last === "" ? bytes - 1 : Number(last)];
  if (last !== "" && end < start) return "whole";
  return start >= bytes ? "unsatisfiable" : { start, end: Math.min(end, bytes - 1) };
}
