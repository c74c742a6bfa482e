import assert from "node:assert/strict";
import { test } from "node:test";
import { card } from "../../support/scripted-worker.ts";
import { eachBackend, givenPglite } from "../../support/store.ts";
import { passTime } from "../../support/virtual-clock.ts";
import { asFolder, givenTasks, maya, nam } from "./given-tasks.ts";

test("[T1 time] what fell due at its time of day goes before what was asked for after that", async (t) => {
  const { store } = await givenPglite(t);
  const { create, world, local } = await givenTasks(t, store, { start: false, accounts: [maya, nam] });
  const [scheduled = 0] = await create({ start_time: "08:05" });
  const pulled = async (limit: number): Promise<string[]> => {
    const answer = await local.source.pull(limit, ["studio.example.com"]);
    return answer.kind === "tasks" ? answer.tasks.map(({ id }) => id) : [];
  };
  await world.clock.advance(2 * 60_000);
  const [early = 0] = await create({ usernames: ["nam"] });
  await world.clock.advance(10 * 60_000);
  await create();
  assert.deepEqual(await pulled(10), [`local:${early}.1`, `local:${scheduled}.1`]);
  await local.tasks.stop(early);
  await create({ usernames: ["nam"] });
  assert.deepEqual(await pulled(1), [`local:${scheduled}.1`]);
});

test("[ledger] what no driver of the farm serves waits for a farm that has one, and keeps nobody from its slot", async (t) => {
  const { store } = await givenPglite(t);
  const other = { ...card, site: "other", hosts: ["other.example.com"] };
  const first = await givenTasks(t, store, {
    cards: [card, other],
    over: { cards: [card] },
    accounts: [{ ...maya, website: "other.example.com", email: "elsewhere@example.com" }, maya],
  });
  const { create, until, task, world, local, crash } = first;
  const [elsewhere = 0] = await create({ usernames: ["elsewhere@example.com"] });
  const [here = 0] = await create();
  await until(2, here);
  assert.equal((await task(elsewhere)).status, 0);
  crash();
  await world.farm({ over: { cards: [other], sources: [local.source] } });
  await until(2, elsewhere);
});

test("[ledger] what was admitted and can't run here keeps nobody from its slot, and takes nobody's place", async (t) => {
  const { store } = await givenPglite(t);
  const other = { ...card, site: "other", hosts: ["other.example.com"] };
  const { create, until, world, local, engine } = await givenTasks(t, store, {
    cards: [card, other],
    accounts: [{ ...maya, website: "other.example.com", email: "elsewhere@example.com" }, maya],
    start: false,
  });
  const [elsewhere = 0] = await create({ usernames: ["elsewhere@example.com"] });
  const pulled = await local.source.pull(1, ["other.example.com"]);
  assert.ok(pulled.kind === "tasks" && pulled.tasks[0]);
  const site = { card: other, host: "other.example.com", origin: "https://other.example.com" };
  assert.equal(await engine.ledger.admit(pulled.tasks[0], site, "local"), "new");
  const [here = 0] = await create();
  await world.farm({ over: { cards: [card], concurrency: 1, sources: [local.source] } });
  await until(2, here);
  const row = await local.db.selectFrom("tasks").select("state").where("id", "=", `local:${elsewhere}.1`).executeTakeFirst();
  assert.equal(row?.state, "waiting");
});

test("[ledger] a broken task is never left running: where its end can't be told it stays as it was, and is told again", async (t) => {
  const { store } = await givenPglite(t);
  const { create, task, until, local, world } = await givenTasks(t, store, { accounts: [maya], start: false });
  const [id = 0] = await create();
  await local.db.updateTable("local_accounts").set({ sealed_secrets: "of another key" }).execute();
  let [lost, told] = [true, 0];
  const deliver: typeof local.source.deliver = async (taskId, report) => {
    if (report.kind !== "fail" || !lost) return local.source.deliver(taskId, report);
    told += 1;
    return { kind: "again", why: "busy", retryAfterMs: null };
  };
  await world.farm({ over: { sources: [{ ...local.source, deliver }] } });
  await passTime(world.clock, "its end is told", () => told > 0);
  assert.equal((await task(id)).status, 0);
  lost = false;
  await until(3, id);
});

eachBackend("[accounts] secrets that can't be opened cost only their own account's tasks and rows", async (t, { store }) => {
  const { ask, create, until, task, local, engine, world } = await givenTasks(t, store, { accounts: [maya, nam] });
  await local.db.updateTable("local_accounts").set({ sealed_secrets: "of another key" }).where("login", "=", "nam").execute();
  const [broken = 0, good = 0] = await create({ usernames: ["nam", "maya@example.com"] });
  await until(2, good);
  await until(3, broken);
  assert.match((await task(broken)).error ?? "", /secrets of its account nam can't be opened/);
  const { data } = await ask<{ updated: number; problems: object[] }>("POST", "/account/import", { accounts: [nam, maya] }, asFolder);
  assert.deepEqual(
    [data.updated, data.problems],
    [1, [{ row: 1, problem: "its secrets can't be opened with this farm's key; remove the account and import it anew" }]],
  );
  const waits = async (): Promise<string[]> => (await engine.freshStatus()).waits;
  assert.ok(!(await waits()).some((why) => why.includes("local record")));
  await store.raw("alter table farm.local_tasks rename to away");
  await passTime(world.clock, "the trouble is said", async () =>
    (await waits()).some((why) => why.includes("the local record can't be read")),
  );
  await store.raw("alter table farm.away rename to local_tasks");
  await passTime(world.clock, "it is over", async () => !(await waits()).some((why) => why.includes("local record")));
});
