import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { StudioContext } from "../context.ts";
import { Refused } from "../refused.ts";
import type { AssetsTable } from "../schema.ts";
import { append } from "./append.ts";
import { contentOf, keepAsset } from "./keep.ts";
import { rules } from "./kinds.ts";
import { sha256Of } from "./receive.ts";

/** Which upload: a show has one of each name and kind at a time. */
export interface UploadName {
  kind: AssetsTable["kind"];
  fileName: string;
  /** One asset at most is called so, and others may have come under the same name: they are not this upload's. */
  isAssetName?: boolean;
}

export interface UploadPart extends UploadName {
  /** Size of the whole file, bytes. */
  total: number;
  /** Where the stream's first byte belongs. */
  offset: number;
  stream: Readable;
  /** Of the whole file, hex, where its sender says it: then a file that was put together wrongly is refused. */
  sha256?: string | undefined;
}

/** offset: so many bytes are safe; the next part begins there. `gap`: nothing was taken, because bytes before the part are missing. */
export type UploadProgress = { done: false; offset: number; total: number; gap: boolean } | { done: true; asset: AssetsTable };

/** Uploads under way in this process, by file: a client that comes back is faster than the end of its old connection. */
const underWay = new Map<string, { stop: AbortController; ended: Promise<UploadProgress> }>();

/**
 * Takes a part of a file, from wherever the last one broke off. What arrived before a connection died is kept for a day, and
 * an earlier offset overwrites what is there, so a part may be sent again. The last part makes the asset.
 * @throws Refused with the rule that the file breaks, 400 uploadFailed when the stream broke off; whatever the disk or the store says
 */
export async function resumeUpload(context: StudioContext, showGuid: string, part: UploadPart): Promise<UploadProgress> {
  const { kind, fileName, total, offset, stream, sha256 } = part;
  const unfit = total > rules[kind].maxBytes ? new Refused(413, rules[kind].tooLarge) : total < 1 ? new Refused(422, "fileEmpty") : null;
  if (unfit) throw await drained(stream, unfit);
  if (!Number.isSafeInteger(total) || !Number.isSafeInteger(offset) || offset < 0 || offset > total)
    throw await drained(stream, new Refused(400, "badInput"));
  const stem = stemOf(showGuid, part);
  const path = join(context.uploadDir, `${stem}-${total}.resume`);
  return alone(path, async (signal, waitedFor) => {
    // Also of one that was being kept while this one waited.
    const before = sha256 ? await arrivedBefore(context, showGuid, part, sha256) : null;
    if (before) {
      stream.resume();
      return { done: true, asset: before };
    }
    await forgetOthers(context.uploadDir, stem, path);
    const there = await sizeOf(path);
    if (offset > there) {
      stream.resume();
      return waitedFor?.done ? waitedFor : { done: false, offset: there, total, gap: true };
    }
    await append(stream, { path, offset, total, kind, signal });
    const size = await sizeOf(path);
    if (size < total) return { done: false, offset: size, total, gap: false };
    return { done: true, asset: await finish(context, showGuid, { kind, fileName, path, bytes: total }, sha256) };
  });
}

/** From where an upload that broke off goes on. @returns null when none is under way */
export async function uploadOffset(
  context: StudioContext,
  showGuid: string,
  name: UploadName,
): Promise<{ offset: number; total: number } | null> {
  const stem = stemOf(showGuid, name);
  const file = (await readdir(context.uploadDir)).find((one) => one.startsWith(`${stem}-`));
  const total = Number(/-(\d+)\.resume$/.exec(file ?? "")?.[1]);
  return file && total ? { offset: await sizeOf(join(context.uploadDir, file)), total } : null;
}

function stemOf(showGuid: string, { kind, fileName }: UploadName): string {
  return createHash("sha256")
    .update(JSON.stringify([showGuid, kind, fileName]))
    .digest("hex")
    .slice(0, 40);
}

/** Ends the one before, which is of the same client, and waits for it. What is whole by then is kept all the same: `work` hears of it. */
async function alone(
  path: string,
  work: (signal: AbortSignal, waitedFor: UploadProgress | null) => Promise<UploadProgress>,
): Promise<UploadProgress> {
  let waitedFor: UploadProgress | null = null;
  for (let other = underWay.get(path); other; other = underWay.get(path)) {
    other.stop.abort();
    waitedFor = await other.ended.catch(() => null);
  }
  const stop = new AbortController();
  const ended = work(stop.signal, waitedFor).finally(() => underWay.delete(path));
  underWay.set(path, { stop, ended });
  return ended;
}

/** A refused file is gone; where only the store was not there, the last part may be sent again. */
async function finish(
  context: StudioContext,
  showGuid: string,
  file: UploadName & { path: string; bytes: number },
  expected: string | undefined,
): Promise<AssetsTable> {
  try {
    const sha256 = await sha256Of(file.path);
    if (expected && expected !== sha256) throw new Refused(400, "uploadDamaged");
    const asset = await keepAsset(context, showGuid, { ...file, sha256 });
    await rm(file.path, { force: true });
    return asset;
  } catch (error) {
    if (error instanceof Refused) await rm(file.path, { force: true });
    throw error;
  }
}

/**
 * The answer to the last part may have been lost: the same content under the same name is there already. Of an asset's name it has to
 * be that asset, or one that is still looked at and gets its name then.
 */
async function arrivedBefore({ db }: StudioContext, showGuid: string, part: UploadPart, sha256: string): Promise<AssetsTable | null> {
  const found = await db
    .selectFrom("assets")
    .selectAll()
    .where("parent", "=", showGuid)
    .where("kind", "=", part.kind)
    .where("file_name", "=", part.fileName)
    .where("bytes", "=", part.total)
    .where((eb) => eb(contentOf, "=", sha256.slice(0, 32)))
    .where("state", "<>", "refused")
    .$if(part.isAssetName === true, (query) =>
      query.where((eb) => {
        const refs = eb.selectFrom("asset_refs").select("asset").whereRef("asset_refs.asset", "=", "assets.guid");
        const isFresh = eb.and([eb("state", "=", "processing"), eb.not(eb.exists(refs))]);
        return eb.or([eb.exists(refs.where("asset_refs.name", "=", part.fileName)), isFresh]);
      }),
    )
    .orderBy("created_at", "desc")
    .executeTakeFirst();
  return found ?? null;
}

/** Of another size: another file, or another version of it. */
async function forgetOthers(folder: string, stem: string, path: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.startsWith(`${stem}-`) && join(folder, name) !== path) await rm(join(folder, name), { force: true });
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** A client hears an answer only when it was let speak. */
async function drained(stream: Readable, refusal: Refused): Promise<Refused> {
  await pipeline(stream, async (chunks: AsyncIterable<unknown>) => {
    for await (const _ of chunks);
  }).catch(() => undefined);
  return refusal;
}
