import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/contract/failures.ts";
import { eachBackend, givenPglite } from "../../support/store.ts";
import { passTime } from "../../support/virtual-clock.ts";
import { asFolder, givenTasks, maya, nam, type Answer } from "./given-tasks.ts";

interface Imported {
  imported: number;
  updated: number;
  failed: number;
  problems: { row: number; problem: string }[];
}

eachBackend("[accounts] secrets are sealed, never answered, and changed only where a row says so", async (t, { store }) => {
  const { ask, local, create, until, pool } = await givenTasks(t, store);
  const bring = async (...accounts: object[]): Promise<Answer<Imported>> => ask("POST", "/account/import", { accounts }, asFolder);
  const secret = { password: "demo-secret-one", twofa: "JBSWY3DPEHPK3PXP", cookies: "sid=1" };
  assert.deepEqual((await bring({ ...maya, ...secret }, nam)).data, { imported: 2, updated: 0, failed: 0, problems: [] });
  assert.deepEqual(
    (await bring({ website: "https://Studio.example.com/login", email: "MAYA@example.com", password: null, twofa: "" })).data,
    {
      imported: 0,
      updated: 1,
      failed: 0,
      problems: [],
    },
  );
  const raw = JSON.stringify(await local.db.selectFrom("local_accounts").selectAll().execute());
  assert.doesNotMatch(raw, /demo-secret-one|JBSWY3DPEHPK3PXP/);
  const shown = await ask("GET", "/account", undefined, asFolder);
  assert.deepEqual(
    (shown.data as { accounts: object[] }).accounts.map((one) => Object.keys(one).join()),
    ["website,username,email,serial,account_id,created_at", "website,username,email,serial,account_id,created_at"],
  );
  const [id = 0] = await create();
  await until(2, id);
  const { credentials, accountKey } = pool.assignments[0]?.assignment ?? {};
  assert.deepEqual(
    [credentials?.password, credentials?.twofa, credentials?.cookie, accountKey],
    ["demo-secret-one", "", "sid=1", "scripted:studio.example.com/maya@example.com"],
  );
});

test("[accounts] a row that is wrong costs only itself; who has no slot gets the emptiest; an account with work stays", async (t) => {
  const { store } = await givenPglite(t);
  const { ask, create } = await givenTasks(t, store, { start: false, concurrency: 2 });
  const rows = [
    { ...maya, serial: undefined },
    { website: "unknown.example.com", email: "x@example.com" },
    { website: "studio.example.com" },
    { website: "studio.example.com", email: "b@example.com" },
    { website: "studio.example.com", email: "c@example.com" },
    { website: "studio.example.com", email: "d@example.com", serial: "phone-7", account_id: "a1" },
    { website: "studio.example.com", email: "d@example.com", account_id: "a2" },
  ];
  const { data } = await ask<Imported>("POST", "/account/import", { accounts: rows }, asFolder);
  assert.deepEqual([data.imported, data.updated, data.failed], [4, 0, 3]);
  assert.deepEqual(
    data.problems.map(({ row }) => row),
    [2, 3, 7],
  );
  const { data: slots } = await ask<{ devices: { serial: string; accounts: string[]; running: number }[] }>("GET", "/device");
  assert.deepEqual(slots.devices, [
    { serial: "slot-1", accounts: ["maya@example.com", "c@example.com"], running: 0 },
    { serial: "slot-2", accounts: ["b@example.com"], running: 0 },
    { serial: "phone-7", accounts: ["d@example.com"], running: 0 },
  ]);
  const [id = 0] = await create();
  const remove = async (username: string) => (await ask("POST", "/account/remove", { username }, asFolder)).code;
  assert.deepEqual([await remove("maya@example.com"), await remove("nobody"), await remove("c@example.com")], [40_901, 40_401, 0]);
  await ask("POST", `/task/${id}/stop`);
  assert.equal(await remove("maya@example.com"), 0);
  assert.equal((await ask("POST", `/task/${id}/retry`)).code, 40_401);
  assert.deepEqual((await ask("POST", "/task/retry-all")).data, { task_ids: [], retried_count: 0 });
});

test("[accounts] only who can read the data folder brings accounts in, or sees them", async (t) => {
  const { store } = await givenPglite(t);
  const { ask } = await givenTasks(t, store, { start: false });
  for (const [method, path, body] of [
    ["GET", "/account", undefined],
    ["POST", "/account/import", { accounts: [maya] }],
    ["POST", "/account/remove", { username: "x" }],
  ] as const)
    assert.deepEqual([(await ask(method, path, body)).status, (await ask(method, path, body)).code], [401, 40_100], path);
});

test("[accounts] a corrected password is the next that a task signs in with, whether it waits for a person or is at work", async (t) => {
  const { store } = await givenPglite(t);
  const correct = async (password: string): Promise<Answer<Imported>> =>
    ask("POST", "/account/import", { accounts: [{ ...maya, password }] }, asFolder);
  let signIns = 0;
  const { ask, create, until, pool, engine, task, world } = await givenTasks(t, store, {
    accounts: [maya],
    async script(point) {
      if (point !== "sign-in" || (signIns += 1) > 2) return;
      if (signIns === 1) await correct("second");
      throw new Failure("account.challenged", "captcha");
    },
  });
  const [id = 0] = await create();
  const personIsNeeded = async (): Promise<void> =>
    passTime(world.clock, "a person is needed", async () => pool.running.size === 0 && /captcha/.test((await task(id)).note ?? ""));
  await personIsNeeded();
  assert.equal(await engine.resolve({ task: `local:${id}.1` }), null);
  await passTime(world.clock, "it signs in again", () => signIns === 2);
  await personIsNeeded();
  await correct("third");
  assert.equal(await engine.resolve({ task: `local:${id}.1` }), null);
  await until(2, id);
  assert.deepEqual(
    pool.assignments.map(({ assignment }) => assignment.credentials.password),
    ["demo-password", "second", "third"],
  );
});
