import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { test } from "node:test";
import { createLog } from "../../src/kit/log.ts";
import { openManager } from "../../src/manager/manager.ts";
import { managerMigrations } from "../../src/manager/migrations.ts";
import { openVault } from "../../src/store/vault.ts";
import { eachBackend, eachBareBackend, givenPglite } from "../support/store.ts";
import { get, link, openScene, withManager } from "./support.ts";

withManager(
  "[history] every accepted and refused call about a task is kept, who, what, answer and time",
  async ({ farm, task, manager, call, clock, store }) => {
    const id = await task();
    const [one, two] = [farm("farm-1"), farm("farm-2")];
    await one.pull();
    await one.pull();
    await two.start(id);
    clock.forwardMinutes(1);
    await one.start(id);
    await call(`/links/${id}/complete`, { method: "POST", body: "{broken" });
    await one.complete(id, { link_post: link });
    await one.complete(id, { link_post: link });
    await one.account(id, { link_rss: link, password: "demo-secret" });
    await call(`/links/${id}`, { key: null });
    await call("/links?limit=x");
    const entries = await manager.history();
    assert.deepEqual(
      entries.map(({ worker, action, taskId, status, code }) => [worker, action, taskId === id, status, code]),
      [
        ["farm-1", "pull", true, 200, "ok"],
        ["farm-2", "start", true, 409, "task_claimed"],
        ["farm-1", "start", true, 200, "ok"],
        ["farm-1", "complete", true, 400, "malformed_json"],
        ["farm-1", "complete", true, 200, "ok"],
        ["farm-1", "complete", true, 200, "repeated"],
        ["farm-1", "account", true, 200, "ok"],
        ["farm-1", "pull", false, 400, "validation"],
      ],
    );
    assert.equal(entries[2]?.at.getTime(), clock.now());
    assert.equal(entries[0]?.keyId, (await manager.keys.list())[0]?.id);
    for (const change of ["update manager.history set status = 200", "delete from manager.history", "truncate manager.history"])
      await assert.rejects(store.raw(change), /append-only/);
  },
);

withManager("[metrics] tasks by status and calls by answer", async ({ farm, task, manager, clock }) => {
  const ids = [await task(), await task(), await task()];
  await farm("farm-1").start(ids[0] ?? "");
  await farm("farm-1").start(ids[1] ?? "");
  clock.forwardMinutes(14);
  await farm("farm-1").start(ids[1] ?? "");
  await farm("farm-2").start(ids[1] ?? "");
  clock.forwardMinutes(2);
  const { status, body } = await get(`${manager.url}/metrics`);
  assert.equal(status, 200);
  assert.match(String(body), /podcrew_manager_tasks\{status="queued"\} 2\n/);
  assert.match(String(body), /podcrew_manager_tasks\{status="running"\} 1\n/);
  assert.match(String(body), /podcrew_manager_tasks\{status="completed"\} 0\n/);
  assert.match(String(body), /podcrew_manager_worker_calls_total\{action="start",status="409"\} 1\n/);
});

eachBackend("[health] /healthz and /readyz answer, the second while the database does", async (t, given) => {
  const { manager, store } = await openScene(t, given);
  assert.equal((await get(`${manager.url}/healthz`)).status, 200);
  assert.deepEqual(await get(`${manager.url}/readyz`), { status: 200, body: { status: "ready" } });
  await store.close();
  assert.equal((await get(`${manager.url}/healthz`)).status, 200);
  assert.equal((await get(`${manager.url}/readyz`)).status, 503);
});

withManager("[flood] three hundred calls at once are all answered", async ({ manager, farm, task, call }) => {
  const id = await task();
  await farm("farm-1").start(id);
  const answers = await Promise.all(
    Array.from({ length: 300 }, async (_, n) => (n % 2 === 0 ? call(`/links/${id}`) : call("/links", { key: `pck_${n}` }))),
  );
  assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 401]);
  assert.equal((await manager.task(id))?.status, "running");
});

test("[first key] the first start writes a key for a farm, later starts leave it alone, and no log has it", async (t) => {
  const { store, dataDir } = await givenPglite(t);
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLog({ level: "debug", format: "json", stream });
  const vault = openVault({ dataDir, embedded: true });
  const open = async () => openManager({ store, vault, log, dataDir, config: { host: "127.0.0.1", port: 0, allowedHosts: [] } });

  const first = await open();
  const path = join(dataDir, "manager.json");
  const { url, apiKey } = JSON.parse(await readFile(path, "utf8")) as { url: string; apiKey: string };
  assert.equal(url, first.url);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await fetch(`${url}/api/v1/podcast/links`, { headers: { "x-api-key": apiKey } })).status, 200);
  await first.makeTask({
    account: { email: "a@example.com", password: "hidden-demo" },
    website: "studio.example.com",
    episodes: [{ title: "One" }],
  });
  await first.close();

  const text = await readFile(path, "utf8");
  const second = await open();
  const moved = { ...(JSON.parse(text) as object), url: second.url };
  assert.deepEqual(JSON.parse(await readFile(path, "utf8")), moved, "only where it is, is new");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await second.keys.list()).length, 1);
  await second.close();

  await unlink(path);
  const third = await open();
  await assert.rejects(stat(path), "taken away on purpose: no further key appears");
  await third.close();

  const logged = lines.join("");
  assert.match(logged, /first API key pck_\w{6}… and owner owner@podcrew\.example: see .*manager\.json/);
  assert.equal(logged.includes(apiKey) || logged.includes(apiKey.slice(11)) || logged.includes("hidden-demo"), false);
});

test("[first key] a start that was killed between the file and the database is gone on with, by the same key and password", async (t) => {
  const { store, dataDir } = await givenPglite(t);
  const vault = openVault({ dataDir, embedded: true });
  const log = createLog({ level: "silent", format: "json" });
  const config = { host: "127.0.0.1", port: 0, allowedHosts: [] };
  const path = join(dataDir, "manager.json");
  const read = async () => JSON.parse(await readFile(path, "utf8")) as { apiKey: string; email: string; password: string };
  // What makes the key fails: all that is to be known is in the file by then.
  await (await openManager({ store, vault, log, config })).close();
  await store.raw("alter table manager.api_keys rename to api_keys_away", []);
  await store.raw("create view manager.api_keys as select * from manager.api_keys_away where false", []);
  await store.raw("create rule refused as on insert to manager.api_keys do instead select 1 / 0", []);
  await assert.rejects(openManager({ store, vault, log, dataDir, config }));
  await store.raw("drop view manager.api_keys", []);
  await store.raw("alter table manager.api_keys_away rename to api_keys", []);
  const known = await read();

  for (const what of ["no key", "no owner"]) {
    await store.raw(what === "no key" ? "delete from manager.api_keys" : "delete from manager.users", []);
    const manager = await openManager({ store, vault, log, dataDir, config });
    const { apiKey, email, password } = await read();
    assert.deepEqual([apiKey, email, password], [known.apiKey, known.email, known.password], what);
    const asFarm = await fetch(`${manager.url}/api/v1/podcast/links`, { headers: { "x-api-key": apiKey } });
    const body = JSON.stringify({ email, password });
    const signIn = await fetch(`${manager.url}/api/v1/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    assert.deepEqual([asFarm.status, signIn.status], [200, 200], what);
    await manager.close();
  }
});

test("[first key] a folder that can't be written is one sentence, and the next start tries again", async (t) => {
  const { store, dataDir } = await givenPglite(t);
  const vault = openVault({ dataDir, embedded: true });
  const config = { host: "127.0.0.1", port: 0, allowedHosts: [] };
  const log = createLog({ level: "silent", format: "json" });
  const blocked = join(dataDir, "vault.key", "below-a-file");
  await assert.rejects(
    openManager({ store, vault, log, dataDir: blocked, config }),
    /first credentials can't be written to .*PODCREW_DATA/,
  );
  const manager = await openManager({ store, vault, log, dataDir, config });
  t.after(async () => manager.close());
  assert.equal((await manager.keys.list()).length, 1);
});

eachBareBackend("[migrations] go up, down and up again", async (_t, { store }) => {
  for (let round = 0; round < 2; round += 1) {
    await store.migrate("manager", managerMigrations);
    await store.raw("insert into manager.users (id, email, role, created_at) values ($1, 'a@example.com', 'owner', $2)", [
      randomUUID(),
      new Date(),
    ]);
    await store.migrateDown("manager", managerMigrations);
    const { rows } = await store.raw("select tablename from pg_tables where schemaname = 'manager' and tablename not like 'kysely%'");
    assert.deepEqual(rows, []);
  }
});
