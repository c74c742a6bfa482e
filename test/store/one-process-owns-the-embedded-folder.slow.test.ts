import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../src/kit/config.ts";
import { createLog } from "../../src/kit/log.ts";
import { openQueue } from "../../src/store/queue.ts";
import { openStore } from "../../src/store/store.ts";
import { freshDatabase, postgresMissing } from "../support/postgres.ts";
import { copyBareDatabase, silentLog } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

interface Holder {
  child: ChildProcess;
  lines: string[];
  /** Resolves when the process has said at least `count` lines. */
  said(count: number): Promise<void>;
  errors(): string;
  kill(): Promise<void>;
}

function holder(t: TestContext, place: string, task: string): Holder {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../support/store-holder.ts", import.meta.url)), place, task], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  createInterface(child.stdout).on("line", (line) => lines.push(line));
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  };
  t.after(kill);
  return {
    child,
    lines,
    errors: () => errors,
    kill,
    async said(count) {
      await until(() => lines.length >= count || child.exitCode !== null, `${count} lines of the holder`);
      assert.ok(lines.length >= count, `the holder ended: ${errors}`);
    },
  };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, `waited 30 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function folder(t: TestContext): Promise<string> {
  const dataDir = await tempDir(t, "owner");
  await copyBareDatabase(dataDir);
  return dataDir;
}

test("a second process is refused with a sentence, and gets in after kill -9 of the first", async (t) => {
  const dataDir = await folder(t);
  const first = holder(t, dataDir, "hold");
  await first.said(1);
  await assert.rejects(
    openStore({ dataDir, log: silentLog, lockWaitMs: 200 }),
    (error) => error instanceof UsageError && error.message.startsWith(`The data folder ${dataDir} is in use by another podcrew process. `),
  );
  const second = holder(t, dataDir, "hold");
  const [code] = (await once(second.child, "close")) as [number];
  assert.notEqual(code, 0);
  assert.match(second.errors(), /is in use by another podcrew process/);
  await first.kill();
  await (await openStore({ dataDir, log: silentLog, lockWaitMs: 0 })).close();
});

test("a predecessor that is just ending is waited for, and the log says so", async (t) => {
  const dataDir = await folder(t);
  const first = holder(t, dataDir, "hold");
  await first.said(1);
  const stream = new PassThrough();
  const opening = openStore({ dataDir, log: createLog({ level: "info", format: "pretty", stream }) });
  const [line] = (await once(stream, "data")) as [Buffer];
  assert.match(line.toString(), /in use by another process; waiting up to 10 s/);
  await first.kill();
  await (await opening).close();
});

test("the same folder can't be opened twice in one process either", async (t) => {
  const dataDir = await folder(t);
  const store = await openStore({ dataDir, log: silentLog });
  t.after(async () => store.close());
  await assert.rejects(openStore({ dataDir, log: silentLog, lockWaitMs: 0 }), UsageError);
});

test("kill -9 loses no row that was acknowledged", async (t) => {
  const dataDir = await folder(t);
  for (const rows of [1, 40, 200]) {
    const writer = holder(t, dataDir, "write");
    await writer.said(rows);
    await writer.kill();
    const store = await openStore({ dataDir, log: silentLog });
    const found = (await store.raw("select n from public.rows order by n")).rows as { n: number }[];
    assert.ok(found.length >= writer.lines.length, `${found.length} rows of ${writer.lines.length}`);
    assert.deepEqual(
      found.slice(0, writer.lines.length).map(({ n }) => String(n)),
      writer.lines,
    );
    await store.raw("drop table public.rows");
    await store.close();
  }
});

test("an end in the middle of making the database leaves nothing that stands in the way", async (t) => {
  const dataDir = await tempDir(t, "owner");
  const first = holder(t, dataDir, "hold");
  await until(() => existsSync(join(dataDir, "db.new", "PG_VERSION")), "the half-made database");
  await first.kill();
  assert.equal(existsSync(join(dataDir, "db")), false);
  const store = await openStore({ dataDir, log: silentLog });
  assert.deepEqual((await store.raw("select 1 as one")).rows, [{ one: 1 }]);
  await store.close();
});

test("embedded: the jobs of a killed process are free at once at the next start", async (t) => {
  const dataDir = await folder(t);
  const before = await openStore({ dataDir, log: silentLog });
  const sender = await openQueue(before, silentLog);
  await sender.send({ id: "t1", accountKey: "site:1" });
  await sender.close();
  await before.close();
  const dead = holder(t, dataDir, "take");
  await dead.said(1);
  await dead.kill();
  const store = await openStore({ dataDir, log: silentLog });
  const queue = await openQueue(store, silentLog);
  assert.deepEqual(await queue.take(1), []);
  assert.equal(await queue.recoverDead(), 1);
  const [job] = await queue.take(1);
  assert.deepEqual({ id: job?.id, deaths: job?.deaths }, { id: "t1", deaths: 1 });
  await queue.close();
  await store.close();
});

test(
  "PostgreSQL: a silent holder's job comes back, a living one's does not, and the dead one's word no longer counts",
  { skip: postgresMissing ?? false, timeout: 60_000 },
  async (t) => {
    const databaseUrl = await freshDatabase();
    const store = await openStore({ dataDir: "/nowhere", databaseUrl, log: silentLog });
    const queue = await openQueue(store, silentLog);
    for (const n of [1, 2]) await queue.send({ id: `t${n}`, accountKey: `site:${n}` });
    const [stalled] = await queue.take(1);
    assert.ok(stalled);
    const dead = holder(t, databaseUrl, "take");
    await dead.said(1);
    await dead.kill();
    const startedAt = performance.now();
    assert.equal(await queue.recoverDead(), 0);
    const back: string[] = [];
    while (back.length === 0 && performance.now() - startedAt < 30_000) {
      assert.equal(await queue.touch(stalled), true);
      for (const job of await queue.take(5)) back.push(job.id);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    assert.deepEqual(back, dead.lines);
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds > 8 && seconds < 20, `after ${seconds} s`);
    t.diagnostic(`came back after ${seconds.toFixed(1)} s`);
    // Now our own holder falls silent for long enough.
    let again;
    while (!again && performance.now() - startedAt < 50_000) {
      again = (await queue.take(5)).find((job) => job.id === stalled.id);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    assert.ok(again);
    assert.equal(again.deaths, 1);
    assert.equal(await queue.done(stalled), false);
    assert.equal(await queue.done(again), true);
    await queue.close();
    await store.close();
  },
);
