import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { link, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import sharp from "sharp";
import type { StudioContext } from "./context.ts";
import { newGuid, newToken } from "./ids.ts";
import { Refused } from "./refused.ts";
import type { AssetsTable } from "./schema.ts";

export const MAX_AUDIO_BYTES = 500 * 1024 * 1024;
export const MAX_COVER_BYTES = 10 * 1024 * 1024;
export const COVER_MIN_PIXELS = 1400;
export const COVER_MAX_PIXELS = 3000;
const THUMB_PIXELS = 480;
const HEAD_BYTES = 16;

/** What the first bytes say; a name or a declared type can say anything. */
const signatures: readonly { kind: AssetsTable["kind"]; ending: string; mime: string; matches: (head: Buffer) => boolean }[] = [
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

const rules = {
  audio: { maxBytes: MAX_AUDIO_BYTES, wrongKind: "audioKind", tooLarge: "audioTooLarge" },
  cover: { maxBytes: MAX_COVER_BYTES, wrongKind: "coverKind", tooLarge: "coverTooLarge" },
} as const;

export interface Incoming {
  kind: AssetsTable["kind"];
  fileName: string;
  stream: Readable;
}

/**
 * Streams an upload to disk and keeps it under its content's hash. Audio is still to be processed, a cover is ready.
 * @throws Refused with the rule that the file breaks
 */
export async function takeUpload(context: StudioContext, showGuid: string, { kind, fileName, stream }: Incoming): Promise<AssetsTable> {
  const part = join(context.uploadDir, `${newToken()}.part`);
  try {
    const { sha, bytes } = await receive(stream, part, rules[kind].maxBytes);
    if (bytes > rules[kind].maxBytes) throw new Refused(413, rules[kind].tooLarge);
    if (bytes === 0) throw new Refused(422, "fileEmpty");
    const head = await readHead(part);
    const signature = signatures.find((candidate) => candidate.kind === kind && candidate.matches(head));
    if (!signature) throw new Refused(422, rules[kind].wrongKind);
    const path = `${sha.slice(0, 32)}.${signature.ending}`;
    if (kind === "cover") await checkCover(part, join(context.mediaDir, thumbOf(path)));
    await keep(part, join(context.mediaDir, path));
    context.metrics.uploadedBytes.inc({ kind }, bytes);
    const state = kind === "audio" ? "processing" : "ready";
    const row: AssetsTable = {
      guid: newGuid(),
      parent: showGuid,
      kind,
      file_name: fileName,
      path,
      mime: signature.mime,
      bytes,
      seconds: null,
      state,
      problem: null,
      created_at: new Date(context.clock.now()),
    };
    await context.db.insertInto("assets").values(row).execute();
    return row;
  } finally {
    await rm(part, { force: true });
  }
}

/** Under its hash a file is written once and never again: somebody may be reading the copy that is there. */
async function keep(part: string, path: string): Promise<void> {
  await link(part, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/** A small picture for lists, beside the cover. */
export function thumbOf(coverPath: string): string {
  return coverPath.replace(/\.\w+$/, `-${THUMB_PIXELS}.webp`);
}

/** Reads to the end also when the file is too large: an answer in the middle of an upload never reaches a browser. */
async function receive(stream: Readable, path: string, maxBytes: number): Promise<{ sha: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(
    stream,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > maxBytes) continue;
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { mode: 0o600, flush: true }),
  );
  return { sha: hash.digest("hex"), bytes };
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function checkCover(path: string, thumb: string): Promise<void> {
  const { width, height } = await sharp(path)
    .metadata()
    .catch(() => ({ width: 0, height: 0 }));
  if (width === 0) throw new Refused(422, "coverBroken");
  if (width !== height) throw new Refused(422, "coverSquare");
  if (width < COVER_MIN_PIXELS || width > COVER_MAX_PIXELS) throw new Refused(422, "coverSize");
  await sharp(path)
    .resize(THUMB_PIXELS)
    .webp({ quality: 82 })
    .toFile(thumb)
    .catch(() => {
      throw new Refused(422, "coverBroken");
    });
}
