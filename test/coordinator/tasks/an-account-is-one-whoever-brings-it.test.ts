import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/contract/failures.ts";
import { createManagerSource } from "../../../src/coordinator/manager-source.ts";
import type { Source } from "../../../src/coordinator/source.ts";
import { aTask, givenWorld } from "../../support/given-engine.ts";
import { postgresMissing } from "../../support/postgres.ts";
import { demoKey } from "../../support/scripted-manager.ts";
import { card, type Script } from "../../support/scripted-worker.ts";
import { eachBackend, givenPglite, givenPostgres } from "../../support/store.ts";
import { passTime } from "../../support/virtual-clock.ts";
import { asFolder, bringing, givenTasks, maya, nam, type GivenTasks } from "./given-tasks.ts";

const bring = async ({ ask }: GivenTasks, ...accounts: object[]) =>
  (await ask<{ imported: number; updated: number }>("POST", "/account/import", { accounts }, asFolder)).data;

/** How many sessions there were at a time. */
function countSessions(sleep: () => Promise<void>): { script: Script; most: () => number } {
  let [now, most] = [0, 0];
  return {
    async script(point) {
      if (point === "begin") most = Math.max(most, (now += 1));
      if (point === "next") await sleep();
      if (point === "feed") now -= 1;
    },
    most: () => most,
  };
}

eachBackend("[ledger] a click in doubt is found again after an import has changed the letters of the name", async (t, { store }) => {
  let clicked = false;
  const given = await givenTasks(t, store, {
    accounts: [nam],
    script(point) {
      if (point !== "after-send" || clicked) return undefined;
      clicked = true;
      return "hang";
    },
  });
  const { create, ask, until, world } = given;
  const [id = 0] = await create({ usernames: ["nam"] });
  await passTime(world.clock, "the click is done", () => clicked);
  await ask("POST", `/task/${id}/stop`);
  assert.equal((await bring(given, { ...nam, username: "Nam" })).updated, 1);
  await ask("POST", `/task/${id}/retry`);
  await until(2, id);
  await passTime(world.clock, "nobody works any more", () => given.pool.running.size === 0);
  assert.equal(world.site.history.length, 1);
});

test("[ledger] whatever an import changes of an account, its episodes stay its own; also when it was removed and came back", async (t) => {
  const { store } = await givenPglite(t);
  const given = await givenTasks(t, store);
  const { create, ask, until, pool } = given;
  const keys = async (): Promise<unknown> => {
    const [id = 0] = await create({ usernames: ["studio.example.com/maya@example.com"] });
    await until(2, id);
    return pool.assignments.at(-1)?.assignment.accountKey;
  };
  await bring(given, { ...maya, email: undefined, username: "Maya@example.com" });
  const first = await keys();
  await bring(given, { ...maya, username: "another-name" });
  assert.equal(await keys(), first);
  await ask("POST", "/account/remove", { username: "another-name" }, asFolder);
  await bring(given, maya);
  assert.equal(await keys(), first);
});

eachBackend(
  "[ledger] where the site asks for a person, no other source signs in with that login until one has looked",
  async (t, { store }) => {
    let challenged = true;
    const { create, task, until, world, engine, pool } = await givenTasks(t, store, {
      accounts: [maya],
      script(point) {
        if (point === "sign-in" && challenged) throw new Failure("account.challenged", "captcha");
      },
    });
    world.manager.add(aTask("m1", { email: "Maya@example.com" }, 1));
    await passTime(world.clock, "a person is needed", async () => (await engine.freshStatus()).needsPerson.length === 1);
    const [id = 0] = await create();
    await passTime(world.clock, "ours waits as well", async () => /captcha/.test((await task(id)).note ?? ""));
    assert.equal(pool.assignments.length, 1);
    challenged = false;
    assert.equal(await engine.resolve({ task: `local:${id}.1` }), null);
    await until(2, id);
    await passTime(world.clock, "the manager's is completed", () => world.manager.tasks.get("m1")?.status === "completed");
    assert.deepEqual((await engine.freshStatus()).needsPerson, []);
  },
);

test("[ledger] an account that stood still before logins were written down stands still for all who have its login", async (t) => {
  const { store } = await givenPglite(t);
  const script: Script = (point) => {
    if (point === "sign-in") throw new Failure("account.challenged", "captcha");
  };
  const { world, engine, local, crash } = await givenTasks(t, store, { script });
  world.manager.add(aTask("m1", { email: "Maya@example.com" }, 1));
  await passTime(world.clock, "a person is needed", async () => (await engine.freshStatus()).needsPerson.length === 1);
  crash();
  for (const table of ["tasks", "stopped_accounts"] as const) await local.db.updateTable(table).set({ login_key: "" }).execute();
  const { create, task, pool } = await givenTasks(t, store, { world, script, accounts: [maya] });
  const [id = 0] = await create();
  await passTime(world.clock, "ours waits as well", async () => /captcha/.test((await task(id)).note ?? ""));
  assert.deepEqual(pool.assignments, []);
});

test("[ledger] two accounts that the site knows by one login have one session at a time", async (t) => {
  const { store } = await givenPglite(t);
  const { script, most } = countSessions(async () => world.clock.sleep(2000));
  const { create, until, world } = await givenTasks(t, store, {
    cards: [{ ...card, login: "username" }],
    accounts: [nam, { ...nam, email: "nam@example.com", username: "Nam", serial: "slot-1" }],
    script,
  });
  const ids = await create({ usernames: ["studio.example.com/nam", "nam@example.com"] });
  await until(2, ...ids);
  assert.deepEqual([most(), world.site.history.length], [1, 2]);
});

const skip = postgresMissing ?? false;
test("[ledger] two farms that know nothing of each other's sources have one session a login, too", { skip }, async (t) => {
  const { store } = await givenPostgres(t);
  const { create, until, world, local } = await givenTasks(t, store, { accounts: [maya], start: false });
  const { script, most } = countSessions(async () => world.clock.sleep(2000));
  const ids = await create();
  world.manager.add(aTask("m1", { email: "Maya@example.com" }, 2));
  const farm = async (source: Source) => world.farm({ script, over: { sources: [source], random: Math.random } });
  await farm(local.source);
  await world.clock.advance(500);
  await farm(createManagerSource({ url: world.manager.url, apiKey: demoKey, workerId: "farm-two" }));
  await until(2, ...ids);
  await passTime(world.clock, "the manager's is completed", () => world.manager.tasks.get("m1")?.status === "completed");
  assert.deepEqual([most(), world.site.history.length], [1, 3]);
});

test("[accounts] a site's other host is the same site: the account is known there, and an account_id is one account's", async (t) => {
  const { store } = await givenPglite(t);
  const cards = [{ ...card, hosts: ["studio.example.com", "www.studio.example.com"] }];
  const given = await givenTasks(t, store, { start: false, cards });
  assert.deepEqual(await bring(given, { ...nam, account_id: "a1" }, { ...nam, website: "www.studio.example.com" }), {
    imported: 1,
    updated: 1,
    failed: 0,
    problems: [],
  });
  assert.deepEqual(
    await bring(given, { ...maya, account_id: "a1" }, { ...maya, website: "www.studio.example.com", account_id: "a1" }, maya),
    {
      imported: 1,
      updated: 0,
      failed: 2,
      problems: [1, 2].map((row) => ({ row, problem: "its account_id is that of nam" })),
    },
  );
  await assert.rejects(given.local.db.updateTable("local_accounts").set({ account_id: "a1" }).execute(), /local_accounts_account_id/);
});

test("[ledger] what a person hands back is the session of the account that the site stopped, whichever task was shown", async (t) => {
  const { store } = await givenPglite(t);
  const handedBack = { cookies: [], origins: [] };
  const { create, task, until, world, engine, pool } = await givenTasks(t, store, {
    accounts: [maya],
    script(point, { taskId }) {
      const run = pool.assignments.findLast(({ assignment }) => assignment.taskId === taskId);
      if (point === "sign-in" && taskId === "m1" && !run?.assignment.session) throw new Failure("account.challenged", "captcha");
    },
  });
  world.manager.add(aTask("m1", { email: "Maya@example.com" }, 1));
  await passTime(world.clock, "a person is needed", async () => (await engine.freshStatus()).needsPerson.length === 1);
  const [id = 0] = await create();
  await passTime(world.clock, "ours waits as well", async () => /captcha/.test((await task(id)).note ?? ""));
  assert.equal(await engine.takeBack({ task: `local:${id}.1`, state: handedBack }), null);
  await until(2, id);
  await passTime(world.clock, "the manager's is completed", () => world.manager.tasks.get("m1")?.status === "completed");
  assert.deepEqual((await engine.freshStatus()).needsPerson, []);
});

for (const at of ["before-look", "before-proof"] as const)
  test(`[ledger] a task that died ${at} holds its login no longer, also where its source is gone`, async (t) => {
    const { store } = await givenPglite(t);
    const world = await givenWorld(t, store);
    const gone = aTask("gone", { email: "Maya@example.com" }, 1);
    const isSent = at === "before-proof";
    const first = await world.farm({
      script: (point) => (point === at ? "hang" : undefined),
      over: { sources: [bringing("file:/gone.json", gone)] },
    });
    const key = { accountKey: "scripted:account-gone", episodeId: "gone-ep-1" };
    const dies = async (): Promise<boolean> => (await first.engine.ledger.episodes.get(key))?.state === (isSent ? "armed" : "claimed");
    await passTime(world.clock, "it is at work", async () => (await dies()) && world.site.history.length === (isSent ? 1 : 0));
    first.crash();
    const { create, until, engine, crash } = await givenTasks(t, store, { world, accounts: [maya] });
    const [id = 0] = await create();
    await until(2, id);
    assert.equal((await engine.ledger.task("gone"))?.state, isSent ? "unsure" : "waiting");
    crash();
    const back = bringing("file:/gone.json", gone);
    await world.farm({ over: { sources: [back] } });
    await passTime(world.clock, "its source is back, and it is completed", () => back.said.some(({ kind }) => kind === "complete"));
    assert.equal(world.site.history.length, 2);
  });

test("[ledger] on a site without markers another source's entry of the same title is never taken for ours", async (t) => {
  const { store } = await givenPglite(t);
  let isLost = false;
  const { create, task, world, engine } = await givenTasks(t, store, {
    accounts: [maya],
    cards: [{ ...card, tier: "list" }],
    async script(point, { taskId, calls, next, site }) {
      const ref = next && { episodeId: next.episode.id, fence: next.fence };
      const entries = site.history.map(({ title, link }, index) => ({ id: String(index + 1), title, link }));
      if (point === "before-look" && ref) await calls.looked(ref, { copies: null, entries });
      if (point !== "before-gate" || !ref || !taskId.startsWith("local:") || isLost) return;
      isLost = true;
      await calls.gate(ref);
      await calls.sent(ref, { kind: "unknown", why: "connection reset before anything arrived" });
      throw new Failure("site.unreachable", "connection reset");
    },
  });
  world.site.find = () => [];
  const [id = 0] = await create();
  await passTime(world.clock, "it is in doubt", async () => /unknown/.test((await task(id)).note ?? ""));
  const data_content = [{ id: "theirs", title: "Good morning", about: "<p>Another recording</p>", image_url: "" }];
  world.manager.add(aTask("m1", { email: "maya@example.com", data_content }, 1));
  await passTime(world.clock, "the manager's is completed", () => world.manager.tasks.get("m1")?.status === "completed");
  await passTime(world.clock, "a person is asked about ours", async () => (await engine.freshStatus()).needsPerson.length === 1);
  assert.deepEqual([world.site.history.length, (await task(id)).status], [1, 1]);
});
