import { extname } from "node:path";

const THUMB = "-480";
/** What a file of each kind is in an answer, by its ending; for sound the same as in the feed. */
const types: Readonly<Record<string, string>> = {
  ".mp3": "audio/mpeg",
  ".m4a": "audio/mp4",
  ".wav": "audio/wav",
  ".jpg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
};

/** @param sha256 hex. @param ending e.g. "mp3". @returns `<32 hex>.<ending>`: 128 bits tell all files apart */
export function mediaName(sha256: string, ending: string): string {
  return `${sha256.slice(0, 32)}.${ending}`;
}

/** A small picture for lists, beside the cover. */
export function thumbOf(coverName: string): string {
  return coverName.replace(/\.\w+$/, `${THUMB}.webp`);
}

/** What a file and its small picture have in common: the content's hash. "" where it is no name of ours. */
export function stemOf(name: string): string {
  return /^([0-9a-f]{32})(?:-480)?\.[a-z0-9]{2,4}$/.exec(name)?.[1] ?? "";
}

/** @returns null where nothing of ours is named so */
export function typeOf(name: string): string | null {
  return stemOf(name) ? (types[extname(name)] ?? null) : null;
}

/** Strong, and the same from every store and machine: it is the content's own name. */
export function etagOf(name: string): string {
  return `"${name.slice(0, name.lastIndexOf("."))}"`;
}
