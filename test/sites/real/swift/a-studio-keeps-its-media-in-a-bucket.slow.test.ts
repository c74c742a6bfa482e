import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import type { BucketAddress } from "../../../../src/kit/media-address.ts";
import { openS3Store } from "../../../../src/studio/media/s3.ts";
import type { MediaStore } from "../../../../src/studio/media/store.ts";
import { sweepMedia } from "../../../../src/studio/media/sweep.ts";
import { systemClock } from "../../../../src/kit/clock.ts";
import { givenShow, givenStudio, picture, signedIn, wav } from "../../../studio/support.ts";
import { fileOf, givenMedia, listed, showGuid, uploadsAt } from "../../../studio/media/support.ts";
import { givenPglite } from "../../../support/store.ts";
import { tempDir } from "../../../support/temp.ts";
import { openRealSite } from "../real-site.ts";
import { site, type RunningSwift } from "./site.ts";

const DAY_MS = 24 * 60 * 60_000;
let swift: RunningSwift;
let buckets = 0;

/** An empty bucket, and how a studio reaches it. */
async function bucket(): Promise<{ address: BucketAddress; open: (scratchDir: string) => MediaStore }> {
  const name = `podcasts-${(buckets += 1)}`;
  await swift.makeBucket(name);
  const address: BucketAddress = { bucket: name, prefix: "media/", endpoint: swift.origin, region: "us-east-1", style: "path" };
  return { address, open: (scratchDir) => openS3Store(address, swift.key, scratchDir) };
}

describe("media in a bucket of OpenStack Swift, by its S3 API", () => {
  before(async () => void (swift = await openRealSite(site)));
  after(async () => swift.close());

  test("a store keeps, lends, lists and removes; what arrives changed is refused by the other side", async (t) => {
    const store = (await bucket()).open(await tempDir(t));
    t.after(async () => store.close());
    const [large, small] = [await fileOf(t, wav(300), "wav"), await fileOf(t, wav(1), "wav")];
    await Promise.all([store.put(large), store.put(small), store.put(small)]);
    assert.equal((await store.head(large.name))?.bytes, large.bytes);
    assert.ok((await buffer((await store.read(large.name))!)).equals(wav(300)));
    assert.ok((await buffer((await store.read(large.name, { start: 44, end: 1043 }))!)).equals(wav(300).subarray(44, 1044)));
    assert.equal(await store.withLocalFile(small.name, async (path) => path.length > 0), true);
    const names = (await listed(store)).map(({ name, bytes }) => [name, bytes]);
    assert.deepEqual(names.sort(), [large, small].map(({ name, bytes }) => [name, bytes]).sort());
    await assert.rejects(store.put({ ...small, sha256: large.sha256 }), /answered 400/);
    await store.remove(small.name);
    await store.remove(small.name);
    assert.deepEqual([await store.head(small.name), await store.read(small.name)], [null, null]);
    assert.equal(await store.withLocalFile(small.name, async () => assert.fail("nothing to lend")), null);
  });

  test("a studio on a bucket publishes as on a disk: byte for byte, in parts, with the same ETag, also after a restart", async (t) => {
    const { address } = await bucket();
    const given = await givenPglite(t);
    const config = {
      mediaStore: { kind: "s3", ...address },
      mediaStoreKeyId: swift.key.keyId,
      mediaStoreSecret: swift.key.secret,
    } as const;
    const studio = await givenStudio(t, given, { config });
    await givenShow(studio);
    const maya = await signedIn(studio);
    const cover = await maya.upload("cover", "a.jpg", await picture(1400, 1400));
    assert.equal(cover.status, 202, cover.text);
    const guid = await maya.draft({ title: "From a bucket", cover: String(cover.json["guid"]) });
    assert.equal((await maya.publish(guid)).status, 200);
    assert.deepEqual(await readdir(join(given.dataDir, "studio", "media")), ["owner.json"], "no file on this machine's disk");
    const feed = await (await fetch(`${studio.url}/feeds/slow-mornings.xml`)).text();
    const [, url = "", length] = /<enclosure url="([^"]+)" length="(\d+)"/.exec(feed) ?? assert.fail(feed);
    const whole = await fetch(url);
    const bytes = Buffer.from(await whole.arrayBuffer());
    assert.deepEqual([whole.status, bytes.equals(wav(2)), length], [200, true, String(bytes.length)]);
    const etag = whole.headers.get("etag") ?? "";
    assert.equal(etag, `"${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}"`);
    const part = await fetch(url, { headers: { range: "bytes=100-199", "if-range": etag } });
    assert.deepEqual([part.status, part.headers.get("content-range")], [206, `bytes 100-199/${bytes.length}`]);
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 200)));
    assert.equal((await fetch(url, { headers: { "if-none-match": etag } })).status, 304);
    const head = await fetch(url, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), head.headers.get("content-type")], [200, length, "audio/wav"]);
    assert.equal((await fetch(new URL(String(cover.json["thumb"]), studio.url))).status, 200);
    assert.equal((await fetch(`${studio.url}/media/${"0".repeat(32)}.mp3`)).status, 404);
    await studio.close();
    const next = await givenStudio(t, given, { config });
    const again = await fetch(new URL(new URL(url).pathname, next.url));
    assert.ok(Buffer.from(await again.arrayBuffer()).equals(bytes));
  });

  test("what nobody points to goes from the bucket after a week", async (t) => {
    const { open } = await bucket();
    const { context } = await givenMedia(t, { media: open });
    const kept = await fileOf(t, wav(1), "wav");
    for (const file of [kept, await fileOf(t, wav(2), "wav")]) await context.media.put(file);
    const row = {
      parent: showGuid,
      kind: "audio",
      file_name: "a.wav",
      mime: "audio/wav",
      bytes: kept.bytes,
      seconds: 1,
      state: "ready",
    } as const;
    await context.db
      .insertInto("assets")
      .values({ ...row, guid: "abcdefabcdef", path: kept.name, problem: null, created_at: new Date() })
      .execute();
    const later = (days: number) => ({ ...context, clock: { ...systemClock, now: () => Date.now() + days * DAY_MS } });
    assert.equal((await sweepMedia(later(2))).files, 0, "apps may still have its address");
    assert.equal((await sweepMedia(later(9.1))).files, 1);
    assert.deepEqual(
      (await listed(context.media)).map(({ name }) => name),
      [kept.name],
    );
  });

  test("while the store is away, listeners are told to come back and uploads lose nothing", async (t) => {
    const { address, open } = await bucket();
    const given = await givenPglite(t);
    const config = {
      mediaStore: { kind: "s3", ...address },
      mediaStoreKeyId: swift.key.keyId,
      mediaStoreSecret: swift.key.secret,
    } as const;
    const studio = await givenStudio(t, given, { config });
    const { context } = await givenMedia(t, { media: open });
    const parts = `${await uploadsAt(t, context)}/upload/audio/morning.wav`;
    const put = async (body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) => fetch(parts, { method: "PUT", body, headers });
    const recording = wav(30);
    await swift.goAway();
    const media = await fetch(`${studio.url}/media/${"0".repeat(32)}.mp3`);
    assert.deepEqual([media.status, media.headers.get("retry-after")], [503, "5"]);
    assert.match(JSON.stringify(await (await fetch(`${studio.url}/readyz`)).json()), /media store/);
    assert.equal((await put(recording, {})).status, 500);
    await swift.comeBack();
    assert.equal((await fetch(`${studio.url}/readyz`)).status, 200);
    const finished = await put(new Uint8Array(0), { "content-range": `bytes */${recording.length}` });
    assert.equal(finished.status, 201);
    const { path } = (await finished.json()) as { path: string };
    assert.ok((await buffer((await context.media.read(path))!)).equals(recording));
  });
});
