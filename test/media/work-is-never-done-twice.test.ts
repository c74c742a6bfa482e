import assert from "node:assert/strict";
import { link, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cached, forget, type CacheEntry } from "../../src/media/cache.ts";
import { sweepCache } from "../../src/media/sweep.ts";
import { folder, never } from "./help.ts";

function entryIn(cacheDir: string, change: Partial<CacheEntry> = {}): CacheEntry {
  return { cacheDir, kind: "covers", key: ["a", 1], ending: ".txt", ...change };
}

test("the second time costs nothing and tells the same", async (t) => {
  const entry = entryIn(await folder(t));
  let made = 0;
  const make = async (path: string) => {
    made += 1;
    await writeFile(path, "content");
    return { fixes: ["cut"] };
  };
  const first = await cached(entry, make, { signal: never });
  assert.deepEqual(await cached(entry, make, { signal: never }), first);
  assert.equal(await readFile(first.path, "utf8"), "content");
  assert.equal(made, 1);
  await forget(entry);
  await cached(entry, make, { signal: never });
  assert.equal(made, 2);
});

test("two at once share one making; it ends only when the last one leaves", async (t) => {
  const entry = entryIn(await folder(t));
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let [made, canceled] = [0, 0];
  const make = async (path: string, onProgress: (share: number) => void, signal: AbortSignal) => {
    made += 1;
    signal.addEventListener("abort", () => {
      canceled += 1;
      gate.reject(signal.reason);
    });
    const ticking = setInterval(() => onProgress(0.5), 2);
    await gate.promise.finally(() => clearInterval(ticking));
    await writeFile(path, "x");
    return {};
  };
  const [one, two] = [new AbortController(), new AbortController()];
  const first = cached(entry, make, { signal: one.signal });
  const second = cached(entry, make, { signal: two.signal, onProgress: () => begun.resolve() });
  await begun.promise;
  one.abort(new Error("first left"));
  await assert.rejects(first, /first left/);
  assert.deepEqual([made, canceled], [1, 0]);
  two.abort(new Error("second left"));
  await assert.rejects(second, /second left/);
  assert.deepEqual([made, canceled], [1, 1]);
  const third = await cached(entry, async (path) => writeFile(path, "new").then(() => ({})), { signal: never });
  assert.equal(await readFile(third.path, "utf8"), "new");
});

test("a failure is not kept, and nothing half-made is seen", async (t) => {
  const cacheDir = await folder(t);
  const entry = entryIn(cacheDir);
  await assert.rejects(
    cached(
      entry,
      async (path) => {
        await writeFile(path, "half");
        throw new Error("no luck");
      },
      { signal: never },
    ),
    /no luck/,
  );
  const files = (await readdir(cacheDir, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  assert.deepEqual(files, []);
});

test("a damaged or outdated file is made again", async (t) => {
  const entry = entryIn(await folder(t));
  const make = async (path: string) => writeFile(path, "whole").then(() => ({}));
  const { path } = await cached(entry, make, { signal: never });
  await writeFile(path, "cut");
  assert.equal(await readFile((await cached(entry, make, { signal: never })).path, "utf8"), "whole");
  let again = 0;
  await cached({ ...entry, maxAgeMs: -1 }, async (to) => writeFile(to, `${(again += 1)}`).then(() => ({})), { signal: never });
  assert.equal(again, 1);
});

test("the sweep removes the longest unused, never what may be in use, always what a crash left", async (t) => {
  const cacheDir = await folder(t);
  const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);
  const put = async (name: string, bytes: number, hours: number): Promise<string> => {
    const path = join(cacheDir, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, Buffer.alloc(bytes));
    await utimes(path, hoursAgo(hours), hoursAgo(hours));
    return path;
  };
  await put("covers/old.jpg", 1000, 30);
  const narrated = await put("narrated/older.mp3", 1000, 40);
  await mkdir(join(cacheDir, "ready/x"), { recursive: true });
  await link(narrated, join(cacheDir, "ready/x/ep-1.mp3"));
  await put("covers/fresh.jpg", 1000, 1);
  await put("tmp/crashed", 1000, 2);
  await put("tmp/running", 1000, 0);
  assert.equal(await sweepCache(cacheDir, 2000), 2000);
  const left = (await readdir(cacheDir, { recursive: true, withFileTypes: true }))
    .filter((file) => file.isFile())
    .map(({ name }) => name)
    .toSorted();
  assert.deepEqual(left, ["fresh.jpg", "old.jpg", "running"]);
  await sweepCache(cacheDir, 0);
  assert.ok((await readdir(join(cacheDir, "covers"))).includes("fresh.jpg"));
  assert.equal(await sweepCache(join(cacheDir, "absent"), 0), 0);
});
