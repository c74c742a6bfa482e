import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm, symlink } from "node:fs/promises";
import { request as openRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import type { NewFile } from "../../../src/studio/media/store.ts";
import type { AssetsTable } from "../../../src/studio/schema.ts";
import { picture, until, wav } from "../support.ts";
import { givenMedia, sha256, showGuid, uploadsAt } from "./support.ts";

const recording = wav(120);
const total = recording.length;
/** Takes every write with ENOSPC. */
const noFullDisk = existsSync("/dev/full") ? false : "this machine has no /dev/full";

interface Answer {
  status: number;
  offset: number | null;
  json: Record<string, unknown>;
}

function clientOf(url: string) {
  const answered = async (response: Response): Promise<Answer> => {
    const text = await response.text();
    const offset = response.headers.get("upload-offset");
    return { status: response.status, offset: offset === null ? null : Number(offset), json: text ? JSON.parse(text) : {} };
  };
  return {
    put: async (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Answer> =>
      answered(await fetch(url, { method: "PUT", body, headers, signal: AbortSignal.timeout(15_000) })),
    head: async (): Promise<Answer> => answered(await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(15_000) })),
    /** Promises all of the recording from `offset` on, sends `bytes` of it, and is cut off. */
    async breakOff(offset: number, bytes: number): Promise<void> {
      const headers = { "content-range": `bytes ${offset}-${total - 1}/${total}`, "content-length": total - offset };
      const sent = openRequest(url, { method: "PUT", headers, agent: false });
      sent.on("error", () => undefined);
      await new Promise<void>((done) => sent.write(recording.subarray(offset, offset + bytes), () => done()));
      await until("the studio has the bytes", async () => ((await this.head()).offset ?? 0) >= offset + bytes);
      sent.destroy();
    },
  };
}

const range = (from: number, to: number, of = total): Record<string, string> => ({ "content-range": `bytes ${from}-${to - 1}/${of}` });

test("a connection that dies loses nothing that has arrived; the rest makes the file, byte for byte", async (t) => {
  const { context, folder } = await givenMedia(t);
  const client = clientOf(`${await uploadsAt(t, context)}/upload/audio/morning.wav`);
  assert.equal((await client.head()).status, 404);
  await client.breakOff(0, 100_000);
  await client.breakOff(100_000, 70_000);
  const { status, offset } = await client.head();
  assert.deepEqual([status, offset], [204, 170_000]);
  const whole = await client.put(recording.subarray(170_000), range(170_000, total));
  assert.equal(whole.status, 201);
  const asset = whole.json as unknown as AssetsTable;
  assert.deepEqual([asset.bytes, asset.file_name, asset.state, asset.parent], [total, "morning.wav", "processing", showGuid]);
  assert.ok((await readFile(join(folder, asset.path))).equals(recording));
  assert.deepEqual(await readdir(context.uploadDir), [], "nothing is left behind");
  assert.equal((await client.head()).status, 404);
});

test("a part may come twice and from an earlier byte; one that leaves a gap is told where to go on", async (t) => {
  const { context, folder } = await givenMedia(t);
  const client = clientOf(`${await uploadsAt(t, context)}/upload/audio/morning.wav`);
  assert.deepEqual(await client.put(recording.subarray(0, 1000), range(0, 1000)), {
    status: 202,
    offset: 1000,
    json: { offset: 1000, total },
  });
  assert.equal((await client.put(recording.subarray(0, 1000), range(0, 1000))).offset, 1000);
  assert.equal((await client.put(recording.subarray(500, 3000), range(500, 3000))).offset, 3000);
  const gap = await client.put(recording.subarray(5000, 6000), range(5000, 6000));
  assert.deepEqual([gap.status, gap.offset], [400, 3000]);
  const tus = { "upload-offset": "3000", "upload-length": String(total) };
  const whole = await client.put(recording.subarray(3000), tus);
  assert.equal(whole.status, 201);
  assert.ok((await readFile(join(folder, String(whole.json["path"])))).equals(recording));
});

test("one that comes back before its old connection has ended goes on with what had arrived", async (t) => {
  const { context, folder } = await givenMedia(t);
  const url = `${await uploadsAt(t, context)}/upload/audio/morning.wav`;
  const client = clientOf(url);
  const headers = { "content-range": `bytes 0-${total - 1}/${total}`, "content-length": total };
  const hanging = openRequest(url, { method: "PUT", headers, agent: false });
  hanging.on("error", () => undefined);
  hanging.write(recording.subarray(0, 50_000));
  await until("the studio has the bytes", async () => (await client.head()).offset === 50_000);
  const whole = await client.put(recording.subarray(50_000), range(50_000, total));
  assert.equal(whole.status, 201);
  assert.ok((await readFile(join(folder, String(whole.json["path"])))).equals(recording));
});

test("kind and size are checked as soon as they can be known", async (t) => {
  const { context } = await givenMedia(t);
  const origin = await uploadsAt(t, context);
  const audio = clientOf(`${origin}/upload/audio/a.mp3`);
  const cover = clientOf(`${origin}/upload/cover/a.jpg`);
  const megabytes = 1024 * 1024;
  const wrong = await picture(1400, 1400);
  for (const [name, answer, status, code] of [
    ["too large, said at the first byte", await audio.put(wav(1), range(0, wav(1).length, 600 * megabytes)), 413, "audioTooLarge"],
    ["too large for a cover", await cover.put(wrong, range(0, wrong.length, 11 * megabytes)), 413, "coverTooLarge"],
    ["another kind, known by its first part", await audio.put(wrong.subarray(0, 100), range(0, 100, 9999)), 422, "audioKind"],
    ["empty", await audio.put(new Uint8Array(0)), 422, "fileEmpty"],
    ["a whole cover that breaks a rule", await cover.put(await picture(1500, 1400)), 422, "coverSquare"],
    ["a range that is none", await audio.put(wav(1), { "content-range": "bytes 5-4/9" }), 400, "badInput"],
    ["a range of another length than the body", await audio.put(wav(1), range(0, 10)), 400, "badInput"],
  ] as const)
    assert.deepEqual([name, answer.status, answer.json["code"]], [name, status, code]);
  assert.deepEqual(await readdir(context.uploadDir), []);
});

test("with its digest a file put together wrongly is refused, and one whose answer was lost is known again", async (t) => {
  const { context } = await givenMedia(t);
  const client = clientOf(`${await uploadsAt(t, context)}/upload/audio/morning.wav`);
  const digest = { "repr-digest": `sha-256=:${Buffer.from(sha256(recording), "hex").toString("base64")}:` };
  const other = Buffer.from(recording);
  other[5000] = (other[5000] ?? 0) ^ 1;
  await client.put(other.subarray(0, 9000), { ...digest, ...range(0, 9000) });
  const damaged = await client.put(recording.subarray(9000), { ...digest, ...range(9000, total) });
  assert.deepEqual([damaged.status, damaged.json["code"]], [400, "uploadDamaged"]);
  assert.equal((await client.head()).status, 404, "it begins anew");
  const first = await client.put(recording, digest);
  assert.equal(first.status, 201);
  const again = await client.put(recording.subarray(9000), { ...digest, ...range(9000, total) });
  assert.deepEqual([again.status, again.json["guid"]], [201, first.json["guid"]]);
  assert.equal((await client.put(recording, { "repr-digest": "sha-256=nonsense" })).status, 400);
});

test("while the media store does not answer, the last part may be sent again: nothing is uploaded twice", async (t) => {
  const { context, folder } = await givenMedia(t);
  const client = clientOf(`${await uploadsAt(t, context)}/upload/audio/morning.wav`);
  const { put } = context.media;
  Object.assign(context.media, { put: async () => Promise.reject(new Error("the store is away")) });
  assert.equal((await client.put(recording)).status, 500);
  assert.equal((await client.head()).offset, total);
  Object.assign(context.media, { put });
  const whole = await client.put(new Uint8Array(0), { "content-range": `bytes */${total}` });
  assert.equal(whole.status, 201);
  assert.ok((await readFile(join(folder, String(whole.json["path"])))).equals(recording));
});

test("what is published under its name stays as it is when its upload is gone on with from an earlier byte", async (t) => {
  const { context, folder } = await givenMedia(t);
  const client = clientOf(`${await uploadsAt(t, context)}/upload/audio/morning.wav`);
  const { db } = context;
  Object.assign(context, { db: { ...db, selectFrom: db.selectFrom.bind(db), transaction: () => assert.fail("the database is away") } });
  assert.equal((await client.put(recording)).status, 500);
  Object.assign(context, { db });
  const [name = ""] = await readdir(folder);
  assert.ok((await readFile(join(folder, name))).equals(recording), "the store has it, and no row");
  const other = Buffer.from(recording);
  other.fill(1, 5000);
  const part = await client.put(other.subarray(5000, 9000), range(5000, 9000));
  assert.deepEqual([part.status, part.offset], [202, 9000]);
  const whole = await client.put(other.subarray(9000), range(9000, total));
  assert.equal(whole.status, 201);
  assert.ok((await readFile(join(folder, String(whole.json["path"])))).equals(other));
  assert.ok((await readFile(join(folder, name))).equals(recording), "its name says its content");
  assert.deepEqual(await readdir(context.uploadDir), []);
});

test("a disk that is full or broken is the studio's fault, is told so and is in its log", { skip: noFullDisk }, async (t) => {
  const { context } = await givenMedia(t);
  const errors: string[] = [];
  Object.assign(context, { log: { ...context.log, error: (text: string) => void errors.push(text) } });
  const client = clientOf(`${await uploadsAt(t, context)}/upload/audio/morning.wav`);
  await client.put(recording.subarray(0, 1000), range(0, 1000));
  const [name = ""] = await readdir(context.uploadDir);
  const path = join(context.uploadDir, name);
  await rm(path);
  await symlink("/dev/full", path);
  const full = await client.put(recording);
  assert.deepEqual([full.status, full.json["code"], errors.length], [507, "noRoom", 1]);
  await rm(path);
  await mkdir(path);
  const broken = await client.put(recording);
  assert.equal(broken.status, 500);
  assert.match(String(broken.json["message"]), /EISDIR/);
  await rm(path, { recursive: true });
  assert.equal((await client.put(recording)).status, 201);
});

for (const [how, headers] of [
  ["with its digest", { "repr-digest": `sha-256=:${Buffer.from(sha256(recording), "hex").toString("base64")}:` }],
  ["without a digest", {}],
] as const)
  test(`a last part that comes again while the first is being kept gets the same file, ${how}`, async (t) => {
    const { context } = await givenMedia(t);
    const client = clientOf(`${await uploadsAt(t, context)}/upload/audio/morning.wav`);
    await client.put(recording.subarray(0, 9000), range(0, 9000));
    const { put } = context.media;
    const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    Object.assign(context.media, {
      put: async (file: NewFile) => {
        reached.resolve();
        await goOn.promise;
        return put(file);
      },
    });
    const last = async (): Promise<Answer> => client.put(recording.subarray(9000), { ...headers, ...range(9000, total) });
    const first = last();
    await reached.promise;
    const again = last();
    // Calls that came later are answered: it has come, and waits for the first one.
    for (let calls = 0; calls < 20; calls += 1) await client.head();
    goOn.resolve();
    const [one, two] = [await first, await again];
    assert.deepEqual([one.status, two.status, two.json["guid"]], [201, 201, one.json["guid"]]);
    assert.equal((await context.db.selectFrom("assets").select("guid").execute()).length, 1);
  });
