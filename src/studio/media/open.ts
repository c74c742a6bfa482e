import { UsageError } from "../../kit/config.ts";
import type { Log } from "../../kit/log.ts";
import type { MediaAddress } from "../../kit/media-address.ts";
import { openDiskStore } from "./disk.ts";
import { inFrontOf } from "./layers.ts";
import { openS3Store } from "./s3.ts";
import type { MediaStore } from "./store.ts";

export interface MediaOptions {
  address: MediaAddress;
  keyId?: string | undefined;
  secret?: string | undefined;
  /** The store on disk; with a bucket: where files from before it are still found. Exists. */
  folder: string;
  /** Exists. */
  scratchDir: string;
  log: Log;
}

/** @throws UsageError when the key is missing, or the store refuses it or knows no such bucket; one that does not answer is waited for */
export async function openMediaStore({ address, keyId, secret, folder, scratchDir, log }: MediaOptions): Promise<MediaStore> {
  const disk = openDiskStore(folder);
  if (address.kind === "disk") return disk;
  if (!keyId || !secret)
    throw new UsageError(
      `MEDIA_STORE=s3://${address.bucket} needs a key: set MEDIA_STORE_KEY_ID and MEDIA_STORE_SECRET (for example MEDIA_STORE_KEY_ID=AKIA…).`,
    );
  const bucket = openS3Store(address, { keyId, secret }, scratchDir);
  const trouble = await bucket.check();
  if (trouble && /answered (30\d|40[0-79])/.test(trouble)) {
    await bucket.close();
    throw new UsageError(`MEDIA_STORE can't be used: ${trouble}. Check the bucket, its region, MEDIA_STORE_KEY_ID and MEDIA_STORE_SECRET.`);
  }
  if (trouble) log.warn("the media store does not answer; what needs it fails until it does", { trouble });
  return inFrontOf(bucket, disk);
}
