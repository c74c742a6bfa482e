import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { MOST_TASKS } from "../../../src/contract/task-api.ts";
import { givenPglite } from "../../support/store.ts";
import { givenTasks, maya, nam } from "./given-tasks.ts";

const good = { usernames: ["maya@example.com"], script_name: "post", script_config: { captions: "Good morning" } };

test("[T8] all that have failed run again, however many they are", async (t) => {
  const { store } = await givenPglite(t);
  const { ask, create, local } = await givenTasks(t, store, { start: false, accounts: [maya] });
  await create();
  await sql`
    insert into farm.local_tasks (account, serial, username, script_name, script_config, source, state, episodes, created_at)
    select account, serial, username, script_name, '{}', source, 'failed', '[]', created_at from farm.local_tasks, generate_series(1, 66000)
  `.execute(local.db);
  const { code, data } = await ask<{ task_ids: number[]; retried_count: number }>("POST", "/task/retry-all");
  assert.deepEqual([code, data.retried_count, data.task_ids.length], [0, 66_000, 66_000]);
  assert.deepEqual((await ask<{ pending: number }>("GET", "/task/stats")).data.pending, 66_001);
});

test("[T1] a call makes no more tasks than its limit, whatever its entries stand for", async (t) => {
  const { store } = await givenPglite(t);
  const lan = { ...maya, email: "lan@example.com" };
  const { ask } = await givenTasks(t, store, { start: false, accounts: [maya, lan, nam] });
  const serials = Array.from({ length: MOST_TASKS / 2 + 1 }, () => "slot-1");
  const refused = await ask("POST", "/task", { ...good, usernames: undefined, serials, enable_multi_account: true });
  assert.deepEqual([refused.code, /1000/.test(refused.message)], [40_001, true], refused.message);
  const most = await ask<{ created_count: number }>("POST", "/task", {
    ...good,
    usernames: undefined,
    serials: serials.slice(1),
    enable_multi_account: true,
  });
  assert.deepEqual([most.code, most.data.created_count], [0, MOST_TASKS]);
});

test("[T1] a configuration that can't be kept is refused by its name, and nothing is made", async (t) => {
  const { store } = await givenPglite(t);
  const { ask } = await givenTasks(t, store, { start: false, accounts: [maya] });
  const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const send = async (config: string) =>
    ask("POST", "/task", undefined, {
      payload: `{"usernames":["maya@example.com"],"script_name":"post","script_config":${config}}`,
      headers: { host: "127.0.0.1:50809", "content-type": "application/json" },
    });
  for (const config of [
    String.raw`{"captions":"x","more":"\ud800"}`,
    String.raw`{"captions":"x","\udfff":1}`,
    String.raw`{"captions":"x","more":[{"deep":"\ud800"}]}`,
    `{"captions":"x","more":${nested(101)}}`,
    `{"captions":"x","more":${nested(6000)}}`,
    `{"captions":"x","more":"${"y".repeat(64 * 1024)}"}`,
    `{"captions":"${"é".repeat(33 * 1024)}"}`,
  ]) {
    const { status, code, message } = await send(config);
    assert.deepEqual([status, code, /script_config/.test(message)], [400, 40_001, true], `${config.slice(0, 60)}: ${message}`);
  }
  assert.equal((await ask<{ total: number }>("GET", "/task/stats")).data.total, 0);
  assert.equal((await send(String.raw`{"captions":"\ud83d\ude00","more":${nested(99)}}`)).code, 0);
});

test("[T1] a large call is taken in parts, whole or not at all", async (t) => {
  const { store } = await givenPglite(t);
  const { ask, task } = await givenTasks(t, store, { start: false, accounts: [maya, nam] });
  const usernames = Array.from({ length: MOST_TASKS }, (_, nth) => (nth % 2 === 0 ? "maya@example.com" : "nam"));
  const large = (character: string) => ({ ...good, usernames, script_config: { captions: `Hello\n${character.repeat(20_000)}` } });
  const { code, data } = await ask<{ task_ids: number[] }>("POST", "/task", large("x"));
  assert.deepEqual([code, data.task_ids.length], [0, MOST_TASKS]);
  assert.deepEqual(
    [(await task(data.task_ids[0] ?? 0)).username, (await task(data.task_ids[999] ?? 0)).username],
    [usernames[0], usernames[999]],
  );
  // As HTML an ampersand is five characters.
  const swollen = await ask("POST", "/task", large("&"));
  assert.deepEqual([swollen.code, /fewer/.test(swollen.message)], [40_001, true], swollen.message);
  assert.equal((await ask<{ total: number }>("GET", "/task/stats")).data.total, MOST_TASKS);
});

test("[codes] an unnamed script and an unknown one are said before anything else that is wrong", async (t) => {
  const { store } = await givenPglite(t);
  const { ask } = await givenTasks(t, store, { start: false, accounts: [maya] });
  const codeOf = async (over: object): Promise<number> => (await ask("POST", "/task", { ...good, ...over })).code;
  assert.equal(await codeOf({ script_name: null }), 40_002);
  assert.equal(await codeOf({ script_name: "dance", usernames: undefined, serials: ["slot-99"] }), 40_003);
  assert.equal(await codeOf({ script_name: "dance", usernames: ["nobody"] }), 40_003);
  assert.equal(await codeOf({ usernames: ["nobody"] }), 40_401);
});
