import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StudioContext } from "../context.ts";
import { Rounds } from "../rounds.ts";
import { claimStore } from "./owner.ts";
import { forgetUnusedAssets } from "./unused-assets.ts";
import { markUnused, removeIfNobodys } from "./unused-files.ts";
import { stemOf } from "./names.ts";
import { forgetRemovals } from "./removals.ts";
import type { MediaFile } from "./store.ts";

const EVERY_MS = 6 * 60 * 60_000;
/** Younger ones may be about to get their row; a broken upload may be gone on with for so long. */
const YOUNG_MS = 24 * 60 * 60_000;
/** Asked about at a time. */
const BATCH = 500;

/** Takes away what nobody points to: uploads that no episode came to use, media without a row, and what broken uploads left. */
export class MediaSweep extends Rounds {
  readonly #context: StudioContext;

  constructor(context: StudioContext) {
    super(context.clock, EVERY_MS);
    this.#context = context;
  }

  protected override async round(): Promise<number> {
    const { clock, log, media } = this.#context;
    await sweepUploads(this.#context);
    await forgetUnusedAssets(this.#context);
    if (await claimStore(this.#context)) {
      const { files, bytes } = await sweepMedia(this.#context, this.stopping.signal);
      if (files > 0) log.info("media that nobody points to were taken away", { files, bytes, place: media.place });
    } else {
      const place = { place: media.place };
      log.warn("another studio's media are in the same place, so none are swept; give each its own bucket or folder", place);
    }
    return clock.now() + EVERY_MS;
  }

  protected override failed(error: unknown): void {
    this.#context.log.warn("the media could not be swept; tried again in a minute", { error: String(error) });
  }
}

/**
 * What nobody has pointed to for a week: a feed that apps still have may name a recording that was replaced.
 * @returns what was taken away
 */
export async function sweepMedia(context: StudioContext, signal?: AbortSignal): Promise<{ files: number; bytes: number }> {
  const gone = { files: 0, bytes: 0 };
  await forgetRemovals(context.db);
  for await (const batch of batches(oldOnes(context), BATCH)) {
    if (signal?.aborted) break;
    const ripe = await markUnused(
      context,
      batch.map(({ name }) => stemOf(name)),
    );
    for (const file of batch) {
      if (!ripe.has(stemOf(file.name)) || !(await removeIfNobodys(context, file, context.clock.now() - YOUNG_MS))) continue;
      gone.files += 1;
      gone.bytes += file.bytes;
    }
  }
  return gone;
}

/** What lies about of uploads that nobody goes on with. */
export async function sweepUploads({ uploadDir, clock }: Pick<StudioContext, "uploadDir" | "clock">): Promise<void> {
  for (const name of await readdir(uploadDir)) {
    const path = join(uploadDir, name);
    const facts = await stat(path).catch(() => null);
    if (facts && clock.now() - facts.mtimeMs > YOUNG_MS) await rm(path, { recursive: true, force: true });
  }
}

/** Ours by their names only: what else lies in the place is not for us to judge. */
async function* oldOnes({ media, clock }: StudioContext): AsyncIterable<MediaFile> {
  for await (const file of media.list()) if (stemOf(file.name) && clock.now() - file.changedAt.getTime() > YOUNG_MS) yield file;
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncIterable<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
