import { ApiError } from "../errors.ts";

/** Deeper JSON is nobody's settings, and the database refuses it. */
const MAX_DEPTH = 50;

/** @throws ApiError unprocessable for JSON that the database can't keep as it is, naming the field */
export function requireStorable(fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    const problem = problemOf(value, 0);
    if (problem) throw new ApiError("unprocessable", `${name}: ${problem}`);
  }
}

function problemOf(value: unknown, depth: number): string | null {
  if (typeof value === "string") return value.isWellFormed() ? null : "holds half a character";
  if (typeof value !== "object" || value === null) return null;
  if (depth >= MAX_DEPTH) return `is deeper than ${MAX_DEPTH} levels`;
  for (const [key, inner] of Object.entries(value)) {
    const problem = problemOf(key, depth) ?? problemOf(inner, depth + 1);
    if (problem) return problem;
  }
  return null;
}
