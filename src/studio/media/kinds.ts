import type { AssetsTable } from "../schema.ts";

export const MAX_AUDIO_BYTES = 500 * 1024 * 1024;
export const MAX_COVER_BYTES = 10 * 1024 * 1024;
/** So much of a file's beginning says what it is. */
export const HEAD_BYTES = 16;

interface Signature {
  kind: AssetsTable["kind"];
  ending: string;
  mime: string;
  matches: (head: Buffer) => boolean;
}

/** What the first bytes say; a name or a declared type can say anything. */
const signatures: readonly Signature[] = [
  {
    kind: "audio",
    ending: "mp3",
    mime: "audio/mpeg",
    matches: (head) =>
      head.toString("latin1", 0, 3) === "ID3" || (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0 && ((head[1] ?? 0) & 0x06) === 0x02),
  },
  { kind: "audio", ending: "m4a", mime: "audio/mp4", matches: (head) => head.toString("latin1", 4, 8) === "ftyp" },
  {
    kind: "audio",
    ending: "wav",
    mime: "audio/wav",
    matches: (head) => head.toString("latin1", 0, 4) === "RIFF" && head.toString("latin1", 8, 12) === "WAVE",
  },
  { kind: "cover", ending: "jpg", mime: "image/jpeg", matches: (head) => head.toString("hex", 0, 3) === "ffd8ff" },
  { kind: "cover", ending: "png", mime: "image/png", matches: (head) => head.toString("hex", 0, 8) === "89504e470d0a1a0a" },
];

export const rules = {
  audio: { maxBytes: MAX_AUDIO_BYTES, wrongKind: "audioKind", tooLarge: "audioTooLarge" },
  cover: { maxBytes: MAX_COVER_BYTES, wrongKind: "coverKind", tooLarge: "coverTooLarge" },
} as const;

/** @param head at least HEAD_BYTES of it, or all of a shorter file */
export function signatureOf(kind: AssetsTable["kind"], head: Buffer): Signature | null {
  return signatures.find((candidate) => candidate.kind === kind && candidate.matches(head)) ?? null;
}
