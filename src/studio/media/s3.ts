import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { BucketAddress } from "../../kit/media-address.ts";
import { isDiskError } from "../../media/disk.ts";
import { typeOf } from "./names.ts";
import { S3Client, S3Error, type S3Answer, type S3Key } from "./s3-client.ts";
import type { MediaFile, MediaStore } from "./store.ts";

/** Shorter than a probe of /readyz may take. */
const CHECK_MS = 1500;

/**
 * A bucket of any store that speaks S3 with signature version 4: Amazon, Cloudflare R2, Backblaze B2, Garage, Ceph, Swift …
 * A PUT there is atomic and durable by contract; the content's hash is signed with it, so what arrives changed is refused.
 * @param scratchDir for files that have to be read as local ones
 */
export function openS3Store(address: BucketAddress, key: S3Key, scratchDir: string): MediaStore {
  const client = new S3Client(address, key);
  const store: MediaStore = {
    place: `s3://${address.bucket}/${address.prefix} at ${address.endpoint}`,
    async put({ name, fromPath, bytes, sha256 }) {
      const headers = {
        "content-length": String(bytes),
        "content-type": typeOf(name) ?? "application/octet-stream",
        "cache-control": "public, max-age=31536000, immutable",
        "x-amz-content-sha256": sha256,
      };
      const answer = await client.call({ method: "PUT", name, headers, body: () => createReadStream(fromPath) });
      await answer.body.dump();
      if (answer.status === 404) throw new S3Error(404, "answered 404 NoSuchBucket");
    },
    async head(name) {
      const answer = await client.call({ method: "HEAD", name });
      await answer.body.dump();
      if (answer.status === 404) return null;
      return { name, bytes: Number(header(answer, "content-length")), changedAt: new Date(header(answer, "last-modified")) };
    },
    async read(name, range) {
      const headers = range && { range: `bytes=${range.start}-${range.end}` };
      const answer = await client.call({ method: "GET", name, streamed: true, ...(headers && { headers }) });
      if (answer.status === (range ? 206 : 200)) return answer.body;
      await answer.body.dump();
      if (answer.status !== 404) throw new S3Error(answer.status, `answered ${answer.status} to a request for a range`);
      return null;
    },
    async withLocalFile(name, use) {
      const path = join(scratchDir, `${randomUUID()}.part`);
      try {
        const stream = await store.read(name);
        if (!stream) return null;
        await pipeline(stream, createWriteStream(path, { mode: 0o600 })).catch((error: NodeJS.ErrnoException) => {
          throw isDiskError(error) ? error : new S3Error(0, "broke off in the middle of a file", error);
        });
        return await use(path);
      } finally {
        await rm(path, { force: true });
      }
    },
    async remove(name) {
      await (await client.call({ method: "DELETE", name })).body.dump();
    },
    list: () => list(client, address.prefix),
    async check() {
      const query = { "list-type": "2", "max-keys": "1", prefix: address.prefix };
      const trouble = await client.call({ method: "GET", query, onceWithinMs: CHECK_MS }).then(
        async (answer) => (await answer.body.dump(), answer.status === 404 ? "answered 404 NoSuchBucket" : null),
        (error: unknown) => (error as Error).message,
      );
      return trouble && `the media store ${store.place}: ${trouble}`;
    },
    close: async () => client.close(),
  };
  return store;
}

async function* list(client: S3Client, prefix: string): AsyncIterable<MediaFile> {
  for (let token = ""; ;) {
    const query = { "list-type": "2", prefix, delimiter: "/", ...(token && { "continuation-token": token }) };
    const answer = await client.call({ method: "GET", query });
    const page = await client.text(answer);
    if (answer.status === 404) throw new S3Error(404, "answered 404 NoSuchBucket");
    for (const [, entry = ""] of page.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
      const name = field(entry, "Key").slice(prefix.length);
      yield { name, bytes: Number(field(entry, "Size")), changedAt: new Date(field(entry, "LastModified")) };
    }
    token = field(page, "NextContinuationToken");
    if (!token) return;
  }
}

function header({ headers }: S3Answer, name: string): string {
  return String(headers[name] ?? "");
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Of an answer whose form is known: an element with text in it. */
function field(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? "";
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => entities[entity] ?? "");
}
