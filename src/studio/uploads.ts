import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { StudioContext } from "./context.ts";
import { newToken } from "./ids.ts";
import { keepAsset } from "./media/keep.ts";
import { receive } from "./media/receive.ts";
import type { AssetsTable } from "./schema.ts";

export interface Incoming {
  kind: AssetsTable["kind"];
  fileName: string;
  stream: Readable;
}

/**
 * Streams a whole upload to disk and keeps it in the media store, under its content's hash. Audio is still to be processed, a cover
 * is ready. @throws Refused with the rule that the file breaks; what the disk says
 */
export async function takeUpload(context: StudioContext, showGuid: string, { kind, fileName, stream }: Incoming): Promise<AssetsTable> {
  const path = join(context.uploadDir, `${newToken()}.part`);
  try {
    const { sha256, bytes } = await receive(stream, path, kind);
    return await keepAsset(context, showGuid, { kind, fileName, path, bytes, sha256 });
  } finally {
    await rm(path, { force: true });
  }
}
