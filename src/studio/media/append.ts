import { copyFile, open, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { newToken } from "../ids.ts";
import { Refused } from "../refused.ts";
import type { AssetsTable } from "../schema.ts";
import { syncFile, syncFolder } from "./disk.ts";
import { HEAD_BYTES, rules, signatureOf } from "./kinds.ts";
import { headOf } from "./receive.ts";

export interface Target {
  path: string;
  /** Where the first byte belongs: at the end of what is there, or before it. */
  offset: number;
  /** Size of the whole file, bytes. */
  total: number;
  kind: AssetsTable["kind"];
  /** Ends the stream. */
  signal: AbortSignal;
}

/**
 * Adds a part to an upload. Once this is done, the part survives a power cut.
 * @throws Refused 400 uploadFailed when the stream broke off, what arrived is kept; the rule that the file breaks; what the disk says
 */
export async function append(stream: Readable, { path, offset, total, kind, signal }: Target): Promise<void> {
  await cutTo(path, offset);
  let size = offset;
  const file = await open(path, "a", 0o600);
  try {
    const troubles: Error[] = [];
    try {
      for await (const chunk of addAbortSignal(signal, stream) as AsyncIterable<Buffer>) {
        size += chunk.length;
        // Read to its end all the same: an answer in the middle of an upload is not heard.
        if (size <= total && troubles.length === 0) await file.appendFile(chunk).catch((error: Error) => void troubles.push(error));
      }
    } catch {
      // The connection died, or its client has come back on another: nobody is there to hear.
      troubles.push(new Refused(400, "uploadFailed"));
    }
    if (troubles[0]) throw troubles[0];
    await file.sync();
  } finally {
    await file.close();
  }
  if (offset === 0) await syncFolder(dirname(path));
  if (size > total) {
    await truncate(path, offset);
    throw new Refused(400, "badInput");
  }
  if (size < Math.min(HEAD_BYTES, total) || signatureOf(kind, await headOf(path))) return;
  await rm(path, { force: true });
  throw new Refused(422, rules[kind].wrongKind);
}

/** What lies behind the offset is sent again. The store may hold this very file under its content's name: then a copy of it goes on. */
async function cutTo(path: string, offset: number): Promise<void> {
  const there = await stat(path).catch(() => null);
  if (!there || there.size <= offset) return;
  if (offset === 0) return rm(path);
  if (there.nlink === 1) return truncate(path, offset);
  const copy = join(dirname(path), `${newToken()}.part`);
  try {
    await copyFile(path, copy);
    await truncate(copy, offset);
    await syncFile(copy);
    await rename(copy, path);
  } finally {
    await rm(copy, { force: true });
  }
}
