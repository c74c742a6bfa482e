import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import sharp from "sharp";
import type { StudioContext } from "../context.ts";
import { newGuid, newToken } from "../ids.ts";
import { Refused } from "../refused.ts";
import type { AssetsTable, StudioDb } from "../schema.ts";
import { lockMedia } from "./lock.ts";
import { rules, signatureOf } from "./kinds.ts";
import { mediaName, stemOf, thumbOf } from "./names.ts";
import { headOf } from "./receive.ts";
import { lastRemoval } from "./removals.ts";
import type { NewFile } from "./store.ts";

const COVER_MIN_PIXELS = 1400;
const COVER_MAX_PIXELS = 3000;
const THUMB_PIXELS = 480;
/** The same content is being taken away: looked at again after so long. */
const REMOVAL_REST_MS = 100;

/** The content of an asset's file: what its name begins with. An index holds it. */
export const contentOf = sql<string>`left(path, 32)`;

export interface Arrived {
  kind: AssetsTable["kind"];
  /** As it was called on the uploader's machine. */
  fileName: string;
  /** The whole file, flushed to the disk; it stays. */
  path: string;
  bytes: number;
  sha256: string;
}

/**
 * Puts a file that has arrived into the media store, under its content's name, and makes its row. Audio is still to be processed, a
 * cover is ready. The row comes after the file is safe, so that no row ever points to nothing.
 * @throws Refused with the rule that the file breaks
 */
export async function keepAsset(context: StudioContext, showGuid: string, arrived: Arrived): Promise<AssetsTable> {
  const { kind, fileName, path: fromPath, bytes, sha256 } = arrived;
  const signature = signatureOf(kind, await headOf(fromPath));
  if (!signature) throw new Refused(422, rules[kind].wrongKind);
  const name = mediaName(sha256, signature.ending);
  const small = kind === "cover" ? await thumb(fromPath) : null;
  const file: NewFile = { name, fromPath, bytes, sha256 };
  const row: AssetsTable = {
    guid: newGuid(),
    parent: showGuid,
    kind,
    file_name: fileName,
    path: name,
    mime: signature.mime,
    bytes,
    seconds: null,
    state: kind === "audio" ? "processing" : "ready",
    problem: null,
    created_at: new Date(context.clock.now()),
  };
  for (let kept = false; !kept;) {
    const before = await lastRemoval(context.db, stemOf(name));
    if (before?.underWay) {
      await delay(REMOVAL_REST_MS);
      continue;
    }
    if (small) await keepThumb(context, name, small);
    await context.media.put(file);
    kept = await context.db.transaction().execute(async (trx) => {
      await lockMedia(trx, "shared");
      // A sweep may have begun to take it away since we looked: then it is put again. From the row on, none begins.
      if ((await lastRemoval(trx, stemOf(name)))?.token !== before?.token) return false;
      await trx.insertInto("assets").values(row).execute();
      await forgetUnused(trx, name);
      return true;
    });
  }
  context.metrics.uploadedBytes.inc({ kind }, bytes);
  return row;
}

/** A cover that the studio drew itself, with its small picture. @returns its name */
export async function keepDrawnCover(context: StudioContext, png: Buffer): Promise<string> {
  const name = mediaName(createHash("sha256").update(png).digest("hex"), "png");
  await keepBytes(context, name, png);
  await keepThumb(context, name, await smallPicture(png));
  await forgetUnused(context.db, name);
  return name;
}

/** Once it is used no more, its week begins anew: how long nobody used it before counts no more. */
async function forgetUnused(db: StudioDb, name: string): Promise<void> {
  await db.deleteFrom("media_unused").where("content", "=", stemOf(name)).execute();
}

async function keepThumb(context: StudioContext, coverName: string, webp: Buffer): Promise<void> {
  await keepBytes(context, thumbOf(coverName), webp);
}

async function keepBytes(context: StudioContext, name: string, bytes: Buffer): Promise<void> {
  const fromPath = join(context.uploadDir, `${newToken()}.part`);
  try {
    await writeFile(fromPath, bytes, { mode: 0o600, flush: true });
    await context.media.put({ name, fromPath, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
  } finally {
    await rm(fromPath, { force: true });
  }
}

async function thumb(path: string): Promise<Buffer> {
  const { width, height } = await sharp(path)
    .metadata()
    .catch(() => ({ width: 0, height: 0 }));
  if (width === 0) throw new Refused(422, "coverBroken");
  if (width !== height) throw new Refused(422, "coverSquare");
  if (width < COVER_MIN_PIXELS || width > COVER_MAX_PIXELS) throw new Refused(422, "coverSize");
  return smallPicture(path).catch(() => {
    throw new Refused(422, "coverBroken");
  });
}

async function smallPicture(picture: string | Buffer): Promise<Buffer> {
  return sharp(picture).resize(THUMB_PIXELS).webp({ quality: 82 }).toBuffer();
}
