import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Refused } from "../refused.ts";
import type { AssetsTable } from "../schema.ts";
import { HEAD_BYTES, rules, signatureOf } from "./kinds.ts";

/**
 * Streams a whole file to disk and flushes it there. What breaks a rule, or finds no room, is read to its end all the same, but not
 * written any more: an answer in the middle of an upload never reaches a browser.
 * @returns the content's hash, hex, and its size. @throws Refused with the rule that the file breaks; what the disk or the stream says
 */
export async function receive(stream: Readable, path: string, kind: AssetsTable["kind"]): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  const troubles: Error[] = [];
  let bytes = 0;
  let head: Buffer = Buffer.alloc(0);
  const isWrong = (): boolean => bytes > rules[kind].maxBytes || (head.length === HEAD_BYTES && !signatureOf(kind, head));
  const note = (error: Error): void => void troubles.push(error);
  const file = await open(path, "w", 0o600).catch(note);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk]).subarray(0, HEAD_BYTES);
      if (isWrong() || troubles.length > 0) continue;
      hash.update(chunk);
      await file?.appendFile(chunk).catch(note);
    }
    if (troubles[0]) throw troubles[0];
    await file?.sync();
  } finally {
    await file?.close();
  }
  if (bytes > rules[kind].maxBytes) throw new Refused(413, rules[kind].tooLarge);
  if (bytes === 0) throw new Refused(422, "fileEmpty");
  if (!signatureOf(kind, head)) throw new Refused(422, rules[kind].wrongKind);
  return { sha256: hash.digest("hex"), bytes };
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

export async function headOf(path: string): Promise<Buffer> {
  const file: FileHandle = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
