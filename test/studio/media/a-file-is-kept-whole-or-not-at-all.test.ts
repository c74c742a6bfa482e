import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openDiskStore } from "../../../src/studio/media/disk.ts";
import { inFrontOf } from "../../../src/studio/media/layers.ts";
import { tempDir } from "../../support/temp.ts";
import { wav } from "../support.ts";
import { fileOf, listed } from "./support.ts";

/** Shows which calls reach the kernel. */
const tracer = "/usr/bin/strace";
const noStrace = spawnSync(tracer, ["-f", "true"]).status === 0 ? false : "strace is not here or may not trace";

test(
  "a file has its name only once its bytes are on the disk, and the name is there before anybody hears of it",
  { skip: noStrace },
  async (t) => {
    const folder = await tempDir(t, "media");
    const writer = fileURLToPath(new URL("./put-one.ts", import.meta.url));
    const trace = join(folder, "trace");
    const calls = "trace=fsync,fdatasync,link,linkat,rename,renameat,renameat2,write";
    const { status, stdout, stderr } = spawnSync(
      tracer,
      ["-f", "-y", "-s", "200", "-e", calls, "-o", trace, process.execPath, writer, folder],
      { encoding: "utf8" },
    );
    assert.equal(status, 0, stderr);
    const lines = (await readFile(trace, "utf8")).split("\n");
    const name = stdout.trim();
    const after = (from: number, pattern: RegExp): number => lines.findIndex((line, index) => index > from && pattern.test(line));
    const steps: [string, RegExp][] = [
      ["the bytes are synced", /fsync\(\d+<[^>]*\/arriving/],
      ["the file gets its name", new RegExp(`rename\\w*\\(.*${name}`)],
      ["the folder is synced", /fsync\(\d+<[^>]*\/kept>/],
      ["somebody hears of it", new RegExp(`write\\(1<.*${name}`)],
    ];
    let at = -1;
    for (const [step, pattern] of steps) {
      const next = after(at, pattern);
      assert.ok(next > at, `${step}, in its turn`);
      at = next;
    }
  },
);

test("what a crash left torn under a name is replaced; what is whole stays the very file that somebody may be reading", async (t) => {
  const folder = await tempDir(t, "media");
  const store = openDiskStore(folder);
  const file = await fileOf(t, wav(5), "wav");
  await writeFile(join(folder, file.name), wav(5).subarray(0, 1000));
  await store.put(file);
  const reading = await store.read(file.name);
  await Promise.all(Array.from({ length: 20 }, async () => store.put(file)));
  assert.ok((await buffer(reading!)).equals(wav(5)));
  assert.deepEqual(await readdir(folder), [file.name], "no half copies");
  await store.remove(file.name);
  await store.remove(file.name);
  assert.deepEqual([await store.head(file.name), await store.read(file.name)], [null, null]);
  assert.equal(await store.withLocalFile(file.name, async () => assert.fail("nothing to lend")), null);
});

test("uploads may lie on another disk than the media", { skip: otherDisk() }, async (t) => {
  const folder = await tempDir(t, "media");
  const elsewhere = join("/dev/shm", `podcrew-media-${process.pid}`);
  await writeFile(elsewhere, wav(1));
  t.after(async () => writeFile(elsewhere, "").then(() => spawnSync("rm", [elsewhere])));
  const store = openDiskStore(folder);
  await store.put({ ...(await fileOf(t, wav(1), "wav")), fromPath: elsewhere });
  const [name = ""] = await readdir(folder);
  assert.ok((await readFile(join(folder, name))).equals(wav(1)));
});

test("after a move to another store, old files come from where they are and new ones go to the new", async (t) => {
  const folder = await tempDir(t, "media");
  for (const name of ["old", "new"]) await mkdir(join(folder, name));
  const [before, first] = [openDiskStore(join(folder, "old")), openDiskStore(join(folder, "new"))];
  const [old, fresh] = [await fileOf(t, wav(1), "wav"), await fileOf(t, wav(2), "wav")];
  await before.put(old);
  const store = inFrontOf(first, before);
  await store.put(fresh);
  assert.deepEqual([await readdir(join(folder, "old")), await readdir(join(folder, "new"))], [[old.name], [fresh.name]]);
  for (const file of [old, fresh]) {
    assert.equal((await store.head(file.name))?.bytes, file.bytes);
    assert.equal((await buffer((await store.read(file.name, { start: 0, end: 9 }))!)).length, 10);
    assert.equal(await store.withLocalFile(file.name, async (path) => (await readFile(path)).length), file.bytes);
  }
  assert.deepEqual((await listed(store)).map(({ name }) => name).sort(), [old.name, fresh.name].sort());
  for (const file of [old, fresh]) await store.remove(file.name);
  assert.deepEqual(await listed(store), []);
});

function otherDisk(): string | false {
  const device = (path: string): string => spawnSync("stat", ["-c", "%d", path], { encoding: "utf8" }).stdout;
  return device("/dev/shm") && device("/dev/shm") !== device("/tmp") ? false : "this machine has one disk only";
}
