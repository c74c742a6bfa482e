import { UsageError } from "./config.ts";

/** @throws UsageError that names the line at fault and nothing that stands in it */
export function readJsonText(file: string, text: string): unknown {
  const bare = text.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(bare);
  } catch {
    // Its own words quote what stands there.
    throw new UsageError(`${file} is no JSON: something is wrong in line ${lineAtFault(bare).toLocaleString("en")}.`);
  }
}

/** The first line after which nothing could follow that would make it JSON; of a text that only ends too early, its last one. */
function lineAtFault(text: string): number {
  const ends = [...text.matchAll(/\n|$/g)].map(({ index }) => index);
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (mayGoOn(text.slice(0, (ends[middle] ?? 0) + 1))) low = middle + 1;
    else high = middle;
  }
  return low + 1;
}

function mayGoOn(start: string): boolean {
  try {
    JSON.parse(start);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const at = /at position (\d+)/.exec(message)?.[1];
    return /^(Unexpected end of|Unterminated)/.test(message) || Number(at) >= start.length;
  }
}
