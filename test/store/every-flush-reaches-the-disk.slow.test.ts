import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { watchWal } from "../../src/store/wal.ts";
import { tempDir } from "../support/temp.ts";

/** Shows which calls reach the kernel. */
const tracer = "/usr/bin/strace";
const noStrace = spawnSync(tracer, ["-f", "true"]).status === 0 ? false : "strace is not here or may not trace";

test("each write that is followed by a flush is synced, however close they come", { skip: noStrace }, async (t) => {
  const folder = await tempDir(t, "wal");
  const trace = join(folder, "trace");
  const writer = fileURLToPath(new URL("../support/wal-writer.ts", import.meta.url));
  const { status, stderr } = spawnSync(tracer, [
    "-f",
    "-y",
    "-e",
    "trace=fsync,fdatasync",
    "-o",
    trace,
    process.execPath,
    writer,
    folder,
    "50",
  ]);
  assert.equal(status, 0, String(stderr));
  const calls = (await readFile(trace, "utf8")).match(/f(data)?sync\(\d+<[^>]*pg_wal\/segment>/g) ?? [];
  assert.ok(calls.length >= 50, `${calls.length} syncs for 50 flushes`);
});

test("a flush that can't reach the disk fails", async (t) => {
  const folder = await tempDir(t, "wal");
  await assert.rejects(watchWal(join(folder, "gone")).flush(), { code: "ENOENT" });
});
