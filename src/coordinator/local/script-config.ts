import { TaskApiError } from "./errors.ts";

/** Every task of a call keeps its own copy. */
const MOST_BYTES = 64 * 1024;
const MOST_DEPTH = 100;

/**
 * As it is kept. Looked at without recursion: a call may nest as deep as its body is long.
 * @returns its JSON  @throws TaskApiError 40001 where the database could not keep it, or it is too large or too deep
 */
export function writeConfig(config: Record<string, unknown>): string {
  const open: { value: unknown; depth: number }[] = [{ value: config, depth: 0 }];
  for (let one = open.pop(); one; one = open.pop()) {
    const { value, depth } = one;
    if (typeof value === "string") requireText(value);
    if (typeof value !== "object" || value === null) continue;
    if (depth >= MOST_DEPTH) throw refused(`nested deeper than ${MOST_DEPTH} levels`);
    if (!Array.isArray(value)) Object.keys(value).forEach(requireText);
    for (const inner of Object.values(value)) open.push({ value: inner, depth: depth + 1 });
  }
  const json = JSON.stringify(config);
  if (Buffer.byteLength(json) > MOST_BYTES) throw refused(`larger than ${MOST_BYTES / 1024} KiB`);
  return json;
}

function requireText(text: string): void {
  if (text.includes("\0") || !text.isWellFormed()) throw refused("holds a NUL character or half a character");
}

const refused = (why: string): TaskApiError => new TaskApiError(40001, `script_config: ${why}`);
