import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { openManager } from "../../src/manager/manager.ts";
import { prune } from "../../src/manager/prune.ts";
import type { ManagerTables } from "../../src/manager/tables.ts";
import { silentLog } from "../support/store.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

const DAY_MINUTES = 24 * 60;

async function count(scene: OwnerScene, table: string): Promise<number> {
  const { rows } = await scene.store.raw(`select count(*)::int as n from manager.${table}`);
  return (rows as { n: number }[])[0]?.n ?? 0;
}

const pruneNow = async (scene: OwnerScene) => prune(scene.store.part<ManagerTables>("manager"), new Date(scene.clock.now()));

withOwner("a refresh token goes when it has expired, and not before: until then its second use ends the sign-in", async (scene) => {
  assert.equal(await count(scene, "refresh_tokens"), 1);
  scene.clock.forwardMinutes(30 * DAY_MINUTES - 1);
  assert.equal((await pruneNow(scene))["refresh_tokens"], 0);
  scene.clock.forwardMinutes(1);
  assert.equal((await pruneNow(scene))["refresh_tokens"], 1);
  assert.equal(await count(scene, "refresh_tokens"), 0);
});

withOwner("checks and their jobs go thirty days after the last of them ended; a job that waits keeps what it counted", async (scene) => {
  const made = await scene.ask("createGroup", { json: { name: "Mornings", service_type: "podcast" } });
  const id = "group" in made ? made.group.id : made.id;
  for (const name of ["ann", "ben"])
    await scene.ask("createAccount", {
      params: { id },
      json: { website: "studio.example.com", username: name, password: "demo-password" },
    });
  const { job_id, total } = await scene.ask("checkAll", { params: { id } });
  assert.equal(total, 2);
  const pull = async (limit: number) => (await scene.call(`/checks?limit=${limit}`)).body.data as { id: string }[];
  const end = async (check: string) =>
    assert.equal((await scene.call(`/checks/${check}`, { method: "POST", json: { ok: true } })).status, 200);
  await end((await pull(1))[0]!.id);
  scene.clock.forwardMinutes(40 * DAY_MINUTES);
  await pruneNow(scene);
  const read = async () =>
    (await scene.api("GET", `/jobs/${job_id}`, { token: await scene.login(scene.owner.email, scene.owner.password) })) as {
      status: number;
      body: { status: string; passed: number };
    };
  assert.deepEqual([(await read()).body.status, (await read()).body.passed], ["running", 1]);
  await end((await pull(1))[0]!.id);
  scene.clock.forwardMinutes(30 * DAY_MINUTES - 1);
  await pruneNow(scene);
  assert.deepEqual([(await read()).body.status, (await read()).body.passed], ["completed", 2]);
  scene.clock.forwardMinutes(1);
  const { jobs, account_checks } = await pruneNow(scene);
  assert.deepEqual([jobs, account_checks], [1, 2]);
  assert.deepEqual([await count(scene, "jobs"), await count(scene, "account_checks"), await count(scene, "job_checks")], [0, 0, 0]);
  assert.equal((await read()).status, 404);
});

withOwner("what a farm announced goes a week after it was seen last, unless no other farm of its kind was seen since", async (scene) => {
  const pull = async (worker: string, sites: string, type = "primary") => scene.call(`/links?type=${type}`, { worker, sites });
  const sitesOf = async () => {
    const { rows } = await scene.store.raw("select kind || ' ' || site as one from manager.announced_sites order by 1");
    return (rows as { one: string }[]).map(({ one }) => one);
  };
  await pull("old", "old.example.com");
  await pull("old", "import.example.com", "secondary");
  scene.clock.forwardMinutes(100 * DAY_MINUTES);
  await pruneNow(scene);
  assert.deepEqual(await sitesOf(), ["primary old.example.com", "secondary import.example.com"], "a pause of all farms changes nothing");
  await pull("new", "new.example.com");
  await pruneNow(scene);
  assert.deepEqual(await sitesOf(), ["primary new.example.com", "secondary import.example.com"]);
  scene.clock.forwardMinutes(6 * DAY_MINUTES);
  await pull("old", "old.example.com");
  scene.clock.forwardMinutes(DAY_MINUTES);
  await pruneNow(scene);
  assert.deepEqual(await sitesOf(), ["primary old.example.com", "secondary import.example.com"]);
});

withOwner("a content's pick stays as long as the content: the same key gets the same text years later", async (scene) => {
  const { key } = await scene.manager.keys.create({ name: "writer", scopes: ["content:write"], tenant: scene.owner.id });
  const call = async (path: string, json: unknown) => {
    const headers = { "x-api-key": key, "content-type": "application/json" };
    const answer = await fetch(`${scene.manager.url}/api/v1/content${path}`, { method: "POST", headers, body: JSON.stringify(json) });
    return (await answer.json()) as { content: { id: string }; variant: { content: string } };
  };
  const { content } = await call("", {
    title: "Tea",
    variants: [{ content: "One" }, { content: "Two" }],
    variant_usage_mode: "sequential",
  });
  const take = async () => (await call(`/${content.id}/take`, { key: "episode-1" })).variant.content;
  assert.equal(await take(), "One");
  scene.clock.forwardMinutes(3 * 365 * DAY_MINUTES);
  await pruneNow(scene);
  assert.equal(await take(), "One");
});

withOwner("thousands go in small steps, two managers at once delete each row once, and a manager begins with it", async (scene, t) => {
  const row = (n: number) => `('${n}', '${randomUUID()}', '${scene.owner.id}', '', '2020-01-01', '2020-02-01')`;
  const insert = async () =>
    scene.store.raw(
      `insert into manager.refresh_tokens (hash, family, user_id, scope, created_at, expires_at) values ${Array.from({ length: 2500 }, (_, n) => row(n)).join(",")}`,
    );
  await insert();
  const both = await Promise.all([pruneNow(scene), pruneNow(scene)]);
  assert.equal(
    both.reduce((sum, pruned) => sum + (pruned["refresh_tokens"] ?? 0), 0),
    2500,
  );
  await insert();
  const { store, vault, clock } = scene;
  const config = { host: "127.0.0.1", port: 0, allowedHosts: [] };
  const told = Promise.withResolvers<string>();
  const log = { ...silentLog, child: () => log, info: (text: string) => void (text.startsWith("Old rows") && told.resolve(text)) };
  const second = await openManager({ store, vault, log, config, clock });
  t.after(async () => second.close());
  assert.equal(await told.promise, "Old rows are gone: 2500 of refresh_tokens");
  assert.equal(await count(scene, "refresh_tokens"), 1);
});
