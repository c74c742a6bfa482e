import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderOf, sweepMedia } from "../../../src/manager/content/sweep-media.ts";
import { openManager } from "../../../src/manager/manager.ts";
import type { ManagerTables } from "../../../src/manager/tables.ts";
import { givenPglite, silentLog } from "../../support/store.ts";
import { samples } from "./media-samples.ts";
import { withContent, type ContentScene } from "./support.ts";

const HOUR_MS = 60 * 60_000;

/** Writes files, or makes those that are there older. */
async function aged(folder: string, names: readonly string[], hours: number): Promise<void> {
  const then = new Date(Date.now() - hours * HOUR_MS);
  for (const name of names) {
    if (!existsSync(join(folder, name))) await writeFile(join(folder, name), "x");
    await utimes(join(folder, name), then, then);
  }
}

const namesIn = (folder: string): string[] => readdirSync(folder).filter((name) => name !== "trash");
const contentsOf = ({ store }: ContentScene) => store.part<ManagerTables>("manager");

withContent("[sweep] what no row names is in the trash after a day, and gone after thirty more", async (scene) => {
  const { upload, mediaFolder } = scene;
  const { id } = await upload(samples.png, "a.png");
  const [db, folder] = [contentsOf(scene), await mediaFolder()];
  const trash = join(folder, "trash");
  const [young, old, other] = [randomUUID(), randomUUID(), "not ours"];
  await aged(folder, [id, old, other], 25);
  await aged(folder, [young], 23);

  assert.deepEqual(await sweepMedia(db, folder), { trashed: 2, restored: 0 });
  assert.deepEqual(namesIn(folder).toSorted(), [id, young].toSorted());
  assert.deepEqual(readdirSync(trash).toSorted(), [old, other].toSorted());
  assert.deepEqual(new Uint8Array(await readFile(join(folder, id))), samples.png);

  // Its days are counted from when it came there, however old the file is.
  assert.deepEqual(await sweepMedia(db, folder), { trashed: 0, restored: 0 });
  await aged(trash, [old], 30 * 24 + 1);
  await aged(trash, [other], 30 * 24 - 1);
  await sweepMedia(db, folder);
  assert.deepEqual(readdirSync(trash), [other]);
});

withContent("[sweep] an upload that was cut off long ago is removed, one that is under way is not", async (scene) => {
  await scene.upload(samples.png, "a.png");
  const folder = await scene.mediaFolder();
  const [broken, running] = [`${randomUUID()}.part`, `${randomUUID()}.part`];
  await aged(folder, [broken], 25);
  await aged(folder, [running], 0);
  assert.deepEqual(await sweepMedia(contentsOf(scene), folder), { trashed: 0, restored: 0 });
  assert.deepEqual(
    namesIn(folder).filter((name) => name.endsWith(".part")),
    [running],
  );
  assert.equal(existsSync(join(folder, "trash")), false);
});

withContent("[sweep] a file survives an older backup of its database, and comes back with a newer one", async (scene) => {
  const { upload, mediaFolder, store, keeper } = scene;
  const medium = await upload(samples.png, "a.png");
  const [db, folder] = [contentsOf(scene), await mediaFolder()];
  await aged(folder, [medium.id], 24 * 400);
  const row = await db.selectFrom("media").selectAll().where("id", "=", medium.id).executeTakeFirstOrThrow();
  await store.raw("delete from manager.media");
  assert.deepEqual(await sweepMedia(db, folder), { trashed: 1, restored: 0 });
  await sweepMedia(db, folder);
  assert.equal((await fetch(medium.url)).status, 404);

  await db.insertInto("media").values(row).execute();
  assert.deepEqual(await sweepMedia(db, folder), { trashed: 0, restored: 1 });
  const served = await fetch(`${keeper.url}${new URL(medium.url).pathname}`);
  assert.deepEqual(new Uint8Array(await served.arrayBuffer()), samples.png);
});

withContent("[sweep] a folder that is not there yet, or empty, is no problem", async (scene) => {
  const db = contentsOf(scene);
  const none = join(scene.keeperDir, "none");
  assert.deepEqual(await sweepMedia(db, none), { trashed: 0, restored: 0 });
  await mkdir(none);
  assert.deepEqual(await sweepMedia(db, none), { trashed: 0, restored: 0 });
});

withContent("[own folder] a manager on another database leaves the files of this one alone", async (scene, t) => {
  const { upload, mediaFolder, keeperDir } = scene;
  const medium = await upload(samples.png, "a.png");
  const folder = await mediaFolder();
  await aged(folder, [medium.id], 24 * 400);

  const { store } = await givenPglite(t);
  const stranger = await openManager({
    store,
    vault: scene.vault,
    log: silentLog,
    config: { host: "127.0.0.1", port: 0, allowedHosts: [] },
    clock: scene.clock,
    dataDir: keeperDir,
  });
  t.after(async () => stranger.close());
  const theirs = await folderOf(store.part<ManagerTables>("manager"), join(keeperDir, "media-store"));
  assert.notEqual(theirs, folder);
  assert.deepEqual(namesIn(folder), [medium.id]);
  assert.equal((await fetch(medium.url)).status, 200);
  assert.equal((await fetch(`${stranger.url}${new URL(medium.url).pathname}`)).status, 404);
});

withContent("[upload] a file whose row can't be written is the sweep's", async (scene) => {
  const { store, mediaFolder, api } = scene;
  await store.raw("alter table manager.media add constraint none check (size_bytes < 0)");
  const body = new FormData();
  body.set("file", new Blob([samples.png]), "a.png");
  assert.equal((await api("POST", "/media", { body })).status, 500);
  const folder = await mediaFolder();
  const names = namesIn(folder);
  assert.equal(names.length, 1);
  await aged(folder, names, 25);
  assert.deepEqual(await sweepMedia(contentsOf(scene), folder), { trashed: 1, restored: 0 });
});
