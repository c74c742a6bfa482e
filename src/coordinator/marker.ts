import { createHash } from "node:crypto";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const CHARACTERS = 16;

/** `ep-` and 80 bits of a hash: the same episode on the same account always carries the same mark, no other one does. */
export function markerOf(accountKey: string, episodeId: string): string {
  const hash = createHash("sha256").update(`${accountKey}\n${episodeId}`).digest();
  let text = "";
  for (let i = 0; i < CHARACTERS; i++) {
    const bit = i * 5;
    const pair = ((hash[bit >> 3] ?? 0) << 8) | (hash[(bit >> 3) + 1] ?? 0);
    text += BASE32[(pair >> (11 - (bit & 7))) & 31];
  }
  return `ep-${text}`;
}
