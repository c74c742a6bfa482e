import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ApiError } from "../errors.ts";
import { mediaKind, type MediaKind } from "./media-kind.ts";
import { makeFolder, syncFolder } from "./durable-folder.ts";
import { wavSeconds } from "./wav-length.ts";

/** What is on its way in. One whose upload ended in the middle is of no use to anybody. */
export const PART = ".part";

export interface Kept {
  /** Name of the file in the folder; 122 random bits, so that nobody guesses the address of another's. */
  id: string;
  kind: MediaKind;
  bytes: number;
  /** null: not known without decoding. */
  seconds: number | null;
}

/**
 * Streams a file into the folder under an id of its own. It is whole and on the disk when this returns: a row that names it comes after.
 * @param file says `truncated` when it was longer than it may be, and has been read to its end then
 * @throws ApiError file_too_large; unprocessable when it is empty or of a kind that is not kept
 */
export async function keepFile(folder: string, file: Readable & { truncated: boolean }): Promise<Kept> {
  await makeFolder(folder);
  const id = randomUUID();
  const part = join(folder, id + PART);
  try {
    await pipeline(file, createWriteStream(part, { mode: 0o600, flush: true }));
    if (file.truncated) throw new ApiError("file_too_large");
    const kept = await look(part);
    await rename(part, join(folder, id));
    await syncFolder(folder);
    return { id, ...kept };
  } finally {
    await rm(part, { force: true });
  }
}

async function look(path: string): Promise<Omit<Kept, "id">> {
  const file = await open(path);
  try {
    const { size: bytes } = await file.stat();
    if (bytes === 0) throw new ApiError("unprocessable", "file: is empty");
    const kind = await mediaKind(file);
    if (!kind) throw new ApiError("unprocessable", "file: is none of MP3, M4A, WAV, JPEG, PNG, WebP, GIF, MP4");
    return { kind, bytes, seconds: kind.mime === "audio/wav" ? await wavSeconds(file, bytes) : null };
  } finally {
    await file.close();
  }
}
