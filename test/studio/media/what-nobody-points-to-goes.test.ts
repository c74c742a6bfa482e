import assert from "node:assert/strict";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { systemClock } from "../../../src/kit/clock.ts";
import type { StudioContext } from "../../../src/studio/context.ts";
import { openDiskStore } from "../../../src/studio/media/disk.ts";
import { keepDrawnCover } from "../../../src/studio/media/keep.ts";
import { inFrontOf } from "../../../src/studio/media/layers.ts";
import { claimStore } from "../../../src/studio/media/owner.ts";
import type { NewFile } from "../../../src/studio/media/store.ts";
import { sweepMedia, sweepUploads } from "../../../src/studio/media/sweep.ts";
import { forgetUnusedAssets } from "../../../src/studio/media/unused-assets.ts";
import { takeUpload } from "../../../src/studio/uploads.ts";
import { eachBackend, givenPglite } from "../../support/store.ts";
import { tempDir } from "../../support/temp.ts";
import { picture, until, wav } from "../support.ts";
import { fileOf, givenMedia, showGuid } from "./support.ts";

const DAY_MS = 24 * 60 * 60_000;

/** The same studio, so many days later. */
const later = (context: StudioContext, days: number): StudioContext => ({
  ...context,
  clock: { ...systemClock, now: () => Date.now() + days * DAY_MS },
});

async function age(folder: string, days = 2): Promise<void> {
  const then = new Date(Date.now() - days * DAY_MS);
  for (const name of await readdir(folder)) await utimes(join(folder, name), then, then);
}

test("media without a row go after a week; all that a row points to stays, small pictures too, and so does what is not ours", async (t) => {
  const { context, folder } = await givenMedia(t);
  const cover = await takeUpload(context, showGuid, {
    kind: "cover",
    fileName: "a.jpg",
    stream: Readable.from([await picture(1400, 1400)]),
  });
  const audio = await takeUpload(context, showGuid, { kind: "audio", fileName: "a.wav", stream: Readable.from([wav(1)]) });
  const lost = await takeUpload(context, showGuid, {
    kind: "cover",
    fileName: "b.png",
    stream: Readable.from([await picture(1401, 1401, "png")]),
  });
  await context.db.deleteFrom("assets").where("guid", "=", lost.guid).execute();
  await writeFile(join(folder, "notes.txt"), "a person's own");
  await age(folder);
  assert.equal((await sweepMedia(context)).files, 0, "apps may still have its address");
  assert.equal((await sweepMedia(later(context, 6))).files, 0);
  const young = await fileOf(t, wav(3), "wav");
  await context.media.put(young);
  const inAWeek = new Date(Date.now() + 7 * DAY_MS);
  await utimes(join(folder, young.name), inAWeek, inAWeek);
  const gone = await sweepMedia(later(context, 7.1));
  assert.equal(gone.files, 2, "the lost cover and its small picture");
  assert.deepEqual(
    (await readdir(folder)).sort(),
    [cover.path, cover.path.replace(".jpg", "-480.webp"), audio.path, "notes.txt", young.name].sort(),
  );
  assert.deepEqual(await sweepMedia(later(context, 7.2)), { files: 0, bytes: 0 });
});

test("a content that somebody points to again has its week anew", async (t) => {
  const { context, folder } = await givenMedia(t);
  const upload = async () => takeUpload(context, showGuid, { kind: "audio", fileName: "a.wav", stream: Readable.from([wav(1)]) });
  await upload();
  await context.db.deleteFrom("assets").execute();
  await age(folder);
  await sweepMedia(context);
  await upload();
  await sweepMedia(later(context, 5));
  await context.db.deleteFrom("assets").execute();
  assert.equal((await sweepMedia(later(context, 8))).files, 0);
  assert.equal((await sweepMedia(later(context, 16))).files, 1);
});

test("a content that is put anew, drawn or uploaded, has its week anew, however long nobody used it before", async (t) => {
  const { context, folder } = await givenMedia(t);
  const upload = async () => takeUpload(context, showGuid, { kind: "audio", fileName: "a.wav", stream: Readable.from([wav(1)]) });
  const png = await picture(1400, 1400, "png");
  await upload();
  await keepDrawnCover(context, png);
  await context.db.deleteFrom("assets").execute();
  await age(folder);
  await sweepMedia(context);
  assert.equal((await sweepMedia(later(context, 10))).files, 3);
  await upload();
  await keepDrawnCover(context, png);
  await context.db.deleteFrom("assets").execute();
  await age(folder, -29);
  assert.equal((await sweepMedia(later(context, 31))).files, 0, "published on day 30 and replaced at once: a feed may still name it");
  assert.equal((await sweepMedia(later(context, 38.1))).files, 3);
});

test("an upload that nobody used for a week is forgotten; an episode's, a show's and one with a name stay", async (t) => {
  const { context } = await givenMedia(t);
  const upload = async (fileName: string): Promise<string> =>
    (await takeUpload(context, showGuid, { kind: "audio", fileName, stream: Readable.from([wav(1)]) })).guid;
  const [used, named, cover] = [await upload("used.wav"), await upload("named.wav"), await upload("cover.wav")];
  await upload("left.wav");
  await context.db.updateTable("assets").set({ state: "ready" }).execute();
  await context.db.updateTable("shows").set({ cover }).execute();
  const now = new Date();
  const texts = { title: "One", about_html: "", machine_voice: false, state: "draft", slug: null, cover: null } as const;
  const times = { publish_at: null, published_at: null, created_at: now, updated_at: now };
  await context.db
    .insertInto("episodes")
    .values({ guid: "abcdefabcdef", parent: showGuid, audio: used, ...texts, ...times } as never)
    .execute();
  const ref = { rel: "local", uri: "", labels: "{}", tags: "[]", tries: 0, not_before: null, problem: "" } as const;
  await context.db
    .insertInto("asset_refs")
    .values({ asset: named, parent: showGuid, name: "named.wav", ...ref })
    .execute();
  await forgetUnusedAssets(context);
  assert.equal((await context.db.selectFrom("assets").select("guid").execute()).length, 4, "not before its week is over");
  await forgetUnusedAssets(later(context, 8));
  const left = await context.db.selectFrom("assets").select("guid").execute();
  assert.deepEqual(left.map(({ guid }) => guid).sort(), [used, named, cover].sort());
});

eachBackend("what is uploaded again while a sweep takes its old copy away is there in the end", async (t, given) => {
  const { context, folder } = await givenMedia(t, { given });
  const recordings = Array.from({ length: 12 }, (_, index) => Buffer.concat([wav(1), Buffer.alloc(index + 1)]));
  for (let round = 0; round < 3; round += 1) {
    for (const recording of recordings) await context.media.put(await fileOf(t, recording, "wav"));
    await age(folder);
    await sweepMedia(context);
    const swept = later(context, 7.1 * (round + 1));
    const uploads = recordings.map(async (recording, index) =>
      takeUpload(context, showGuid, { kind: "audio", fileName: `${index}.wav`, stream: Readable.from([recording]) }),
    );
    const [rows] = await Promise.all([Promise.all(uploads), sweepMedia(swept), sweepMedia(swept)]);
    for (const { path, bytes } of rows) assert.equal((await context.media.head(path))?.bytes, bytes, path);
    await context.db.deleteFrom("assets").execute();
  }
});

test("the rest of an upload that nobody goes on with goes after a day", async (t) => {
  const { context } = await givenMedia(t);
  for (const name of ["old.part", "old.resume"]) await writeFile(join(context.uploadDir, name), "x");
  await age(context.uploadDir);
  await writeFile(join(context.uploadDir, "young.resume"), "x");
  await sweepUploads(context);
  assert.deepEqual(await readdir(context.uploadDir), ["young.resume"]);
  await sweepUploads(later(context, 2));
  assert.deepEqual(await readdir(context.uploadDir), []);
});

test("a store that another studio has claimed is not ours to sweep", async (t) => {
  const { context } = await givenMedia(t);
  assert.equal(await claimStore(context), true);
  assert.equal(await claimStore(context), true, "after a restart, too");
  const { context: other } = await givenMedia(t, { given: await givenPglite(t), media: () => context.media });
  assert.equal(await claimStore(other), false);
});

test("of two studios that moved from their disks to one bucket, one owns it", async (t) => {
  const bucket = openDiskStore(await tempDir(t, "bucket"));
  const owns: boolean[] = [];
  for (let studio = 0; studio < 2; studio += 1) {
    const { context, folder } = await givenMedia(t, { given: await givenPglite(t) });
    assert.equal(await claimStore(context), true, "its own disk");
    const moved = { ...context, media: inFrontOf(bucket, openDiskStore(folder)) };
    owns.push(await claimStore(moved), await claimStore(moved));
  }
  assert.deepEqual(owns, [true, true, false, false]);
});

test("while the media store is asked, the database serves others", { timeout: 60_000 }, async (t) => {
  const { context } = await givenMedia(t);
  const { media } = context;
  const asked = new Set<string>();
  for (const name of ["put", "head", "read", "remove"] as const) {
    const call = media[name] as (...given: unknown[]) => Promise<unknown>;
    Object.assign(media, {
      [name]: async (...given: unknown[]) => {
        asked.add(name);
        await context.db.selectFrom("shows").select("guid").execute();
        return call(...given);
      },
    });
  }
  await takeUpload(context, showGuid, { kind: "audio", fileName: "a.wav", stream: Readable.from([wav(1)]) });
  await takeUpload(context, showGuid, { kind: "cover", fileName: "a.jpg", stream: Readable.from([await picture(1400, 1400)]) });
  await context.db.deleteFrom("assets").execute();
  assert.equal(await claimStore(context), true);
  await sweepMedia(later(context, 2));
  assert.equal((await sweepMedia(later(context, 10))).files, 3);
  assert.deepEqual([...asked].sort(), ["head", "put", "read", "remove"]);
});

eachBackend("an upload of what is being taken away waits for that, and is there in the end", async (t, given) => {
  const { context } = await givenMedia(t, { given });
  const { media } = context;
  const upload = async () => takeUpload(context, showGuid, { kind: "audio", fileName: "a.wav", stream: Readable.from([wav(1)]) });
  await upload();
  await context.db.deleteFrom("assets").execute();
  await sweepMedia(later(context, 2));
  const { remove } = media;
  const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  Object.assign(media, {
    remove: async (name: string) => {
      reached.resolve();
      await goOn.promise;
      await remove(name);
    },
  });
  const sweep = sweepMedia(later(context, 10));
  await reached.promise;
  const again = upload();
  void until("the studio has the file", async () => (await readdir(context.uploadDir)).length > 0).finally(goOn.resolve);
  const [{ path, bytes }, { files }] = await Promise.all([again, sweep]);
  assert.equal(files, 1);
  assert.equal((await media.head(path))?.bytes, bytes);
});

test("what a sweep takes away between the file and its row is put again", async (t) => {
  const { context, folder } = await givenMedia(t);
  const { media } = context;
  const file = await fileOf(t, wav(1), "wav");
  await media.put(file);
  await age(folder);
  await sweepMedia(context);
  const { put } = media;
  let swept = 0;
  Object.assign(media, {
    put: async (given: NewFile) => {
      await put(given);
      if (swept === 0) swept = (await sweepMedia(later(context, 10))).files;
    },
  });
  const { path } = await takeUpload(context, showGuid, { kind: "audio", fileName: "a.wav", stream: Readable.from([wav(1)]) });
  assert.equal(swept, 1);
  assert.equal((await media.head(path))?.bytes, file.bytes);
});

test("of thousands of files all that are used stay, and all that are not go", async (t) => {
  const { context, given } = await givenMedia(t);
  const grown = async (many: number): Promise<void> => {
    const rows = `generate_series(1, ${many}) n`;
    const guid = (first: string): string => `'${first}' || lpad(n::text, 11, '0')`;
    for (const [first, what] of [
      ["a", "used"],
      ["b", "left"],
    ])
      await given.store.raw(
        `insert into studio.assets (guid, parent, kind, file_name, path, mime, bytes, seconds, state, created_at)
         select ${guid(first ?? "")}, '${showGuid}', 'audio', '${what}', md5('${what}' || n) || '.mp3', 'audio/mpeg', 1, 1, 'ready', now() from ${rows}`,
      );
    await given.store.raw(
      `insert into studio.episodes (guid, parent, title, about_html, audio, machine_voice, state, created_at, updated_at)
       select ${guid("e")}, '${showGuid}', 'One', '', ${guid("a")}, false, 'draft', now(), now() from ${rows}`,
    );
  };
  await grown(5500);
  await forgetUnusedAssets(later(context, 8));
  const left = await context.db
    .selectFrom("assets")
    .select(["file_name", (eb) => eb.fn.countAll<string>().as("n")])
    .where("file_name", "in", ["used", "left"])
    .groupBy("file_name")
    .execute();
  assert.deepEqual(
    left.map(({ file_name, n }) => [file_name, Number(n)]),
    [["used", 5500]],
  );
});
