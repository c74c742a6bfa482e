import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/contract/failures.ts";
import { eachBackend, givenPglite } from "../../support/store.ts";
import { passTime } from "../../support/virtual-clock.ts";
import type { At, Point } from "../../support/scripted-worker.ts";
import { givenTasks, maya, nam } from "./given-tasks.ts";

eachBackend("[T6] [T7] a stop ends the worker that hangs; a retry begins at once and posts it once", async (t, { store }) => {
  let hangs = true;
  const { create, ask, task, until, world, pool, local } = await givenTasks(t, store, {
    accounts: [maya],
    script: (point: Point) => (point === "before-look" && hangs ? "hang" : undefined),
  });
  const [id = 0] = await create();
  await passTime(world.clock, "it runs", () => pool.running.size === 1);
  const stopped = await ask<{ status: number; error: string }>("POST", `/task/${id}/stop`);
  assert.deepEqual([stopped.code, stopped.data.status, stopped.data.error], [0, 3, "stopped"]);
  assert.equal((await ask("POST", `/task/${id}/stop`)).code, 40_001);
  hangs = false;
  assert.equal((await ask<{ status: number }>("POST", `/task/${id}/retry`)).data.status, 0);
  await passTime(world.clock, "its worker is ended", () => pool.running.size === 0, { limitMs: 30_000 });
  await until(2, id);
  assert.equal(world.site.history.length, 1);
  assert.deepEqual((await task(id)).error, null);
  const rows = await local.db.selectFrom("tasks").select(["id", "state"]).orderBy("id").execute();
  assert.deepEqual(rows, [
    { id: `local:${id}.1`, state: "canceled" },
    { id: `local:${id}.2`, state: "completed" },
  ]);
  assert.equal((await ask("POST", `/task/${id}/retry`)).code, 40_001);
});

eachBackend("[T6] a stop at the click is no lie: what is on the site is found, and recorded as posted once", async (t, { store }) => {
  let at: At | null = null;
  const { create, ask, until, world } = await givenTasks(t, store, {
    accounts: [maya],
    script(point, where) {
      if (point !== "after-send" || at) return undefined;
      at = where;
      return "hang";
    },
  });
  const [id = 0] = await create();
  await passTime(world.clock, "the click is done", () => at !== null);
  assert.equal((await ask<{ status: number }>("POST", `/task/${id}/stop`)).data.status, 3);
  await until(2, id);
  assert.equal(world.site.history.length, 1);
});

test("[T4] [T5] a deleted task is gone, and what works on it stops without a word", async (t) => {
  const { store } = await givenPglite(t);
  const { create, ask, world, pool, local } = await givenTasks(t, store, {
    accounts: [maya, nam],
    script: (point: Point) => (point === "before-arm" ? "hang" : undefined),
  });
  const [first = 0, second = 0] = await create({ usernames: ["maya@example.com", "nam"] });
  const [later = 0] = await create({ start_time: "23:00" });
  await passTime(world.clock, "both run", () => pool.running.size === 2);
  assert.deepEqual((await ask("DELETE", `/task/${first}`)).data, { id: first });
  assert.equal((await ask("GET", `/task/${first}`)).code, 40_401);
  assert.deepEqual((await ask("DELETE", "/task/batch", { task_ids: [second, later, later, 999, 2 ** 40] })).data, {
    deleted: [second, later],
    missing: [999, 2 ** 40],
  });
  await passTime(world.clock, "their workers are ended", () => pool.running.size === 0, { limitMs: 30_000 });
  await passTime(world.clock, "nothing is held any more", async () => {
    const held = await local.db.selectFrom("tasks").select("state").execute();
    return held.every(({ state }) => state === "canceled");
  });
  assert.equal(world.site.history.length, 0);
  assert.deepEqual((await ask("GET", "/task/stats")).data, { total: 0, pending: 0, running: 0, completed: 0, failed: 0 });
  assert.deepEqual((await ask("DELETE", "/task/batch", { task_ids: [3_000_000_000] })).data, { deleted: [], missing: [3_000_000_000] });
  for (const body of [{}, { task_ids: [] }, { task_ids: ["1"] }, { task_ids: [0] }])
    assert.equal((await ask("DELETE", "/task/batch", body)).code, 40_001);
});

test("[T8] all that has failed is run again, each from where it was; a slot does one task at a time", async (t) => {
  const { store } = await givenPglite(t);
  let refuses = true;
  let most = 0;
  const { create, ask, until, world, pool } = await givenTasks(t, store, {
    accounts: [maya, nam],
    async script(point) {
      most = Math.max(most, pool.running.size);
      if (point === "before-look" && refuses) throw new Failure("account.incomplete", "no");
    },
  });
  const ids = await create({ usernames: ["maya@example.com", "maya@example.com", "nam"] });
  await until(3, ...ids);
  assert.deepEqual((await ask("GET", "/task/stats")).data, { total: 3, pending: 0, running: 0, completed: 0, failed: 3 });
  refuses = false;
  const again = await ask<{ task_ids: number[]; retried_count: number }>("POST", "/task/retry-all");
  assert.deepEqual(again.data, { task_ids: ids, retried_count: 3 });
  await until(2, ...ids);
  assert.equal(world.site.history.length, 3);
  assert.ok(most <= 2, `${most} at a time on two slots`);
  assert.deepEqual((await ask("POST", "/task/retry-all")).data, { task_ids: [], retried_count: 0 });
});
