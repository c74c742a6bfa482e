import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { card, type Act } from "../support/scripted-worker.ts";
import { passTime } from "../support/virtual-clock.ts";

const account = { account_id: "one-account" };

test("what was posted is counted on the site before the task ends; one copy is silence", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 2));
  const { engine } = await world.farm();
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed");
  const rows = await engine.ledger.db.selectFrom("episodes").select(["copies", "failure"]).execute();
  assert.deepEqual(rows, [
    { copies: 1, failure: null },
    { copies: 1, failure: null },
  ]);
});

test("two copies of one episode: an alarm with both links, the task is reported, and the account stands still until a person has looked", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", account, 1));
  const alarms: string[] = [];
  const { engine } = await world.farm({
    script(point, { next, site }) {
      // Somebody else's browser, a proxy that repeats: it is there twice, and nobody told us.
      if (point === "before-proof" && next?.episode.id === "t1-ep-1") site.publish(next.episode.marker, next.episode.title);
    },
  });
  engine.events.on("alarm", ({ failure }) => alarms.push(`${failure.code}: ${failure.detail}`));
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed");
  assert.deepEqual(alarms, ["episode.duplicate_on_site: https://studio.example.com/e/1 and https://studio.example.com/e/2"]);

  world.manager.add(aTask("t2", account, 1));
  world.manager.add(aTask("t3", {}, 1));
  await passTime(
    world.clock,
    "the account's next task waits for a person",
    async () => (await engine.freshStatus()).needsPerson.length === 2,
  );
  const [stopped, person] = (await engine.freshStatus()).needsPerson;
  assert.deepEqual([stopped?.taskId, stopped?.title], ["t1", "the account stands still"]);
  assert.equal(person?.taskId, "t2");
  assert.match(person?.why ?? "", /e\/1 and https:.*e\/2/);
  await passTime(world.clock, "other accounts go on", () => world.manager.tasks.get("t3")?.status === "completed");
  assert.equal(world.site.history.length, 3);

  assert.equal(await engine.resolve({ task: "t2" }), null);
  await passTime(world.clock, "it goes on", () => world.manager.tasks.get("t2")?.status === "completed");
});

test("a worker that sent without asking stops the account, and what it posted is recorded all the same", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", account, 2));
  const { engine } = await world.farm({
    async script(point, { next, calls, site }) {
      if (point !== "before-arm" || next?.episode.id !== "t1-ep-1") return;
      const copy = site.publish(next.episode.marker, next.episode.title);
      await calls.sent({ episodeId: next.episode.id, fence: next.fence }, { kind: "proof", copy, httpStatus: 200 });
    },
  });
  await passTime(world.clock, "a person is asked", async () => (await engine.freshStatus()).tasks.needs_person === 1);
  assert.match((await engine.freshStatus()).needsPerson[0]?.why ?? "", /sent while the ledger has it as ready/);
  assert.deepEqual(
    world.site.history.map((post) => post.title),
    ["Episode 1 of t1"],
  );
  const row = await engine.ledger.episodes.get({ accountKey: "scripted:one-account", episodeId: "t1-ep-1" });
  assert.equal(row?.state, "posted");
});

test("with REPOST=never an unknown click that the site does not show is left to a person at once", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  let sends = 0;
  const { engine } = await world.farm({
    repost: "never",
    script(point, { site }): Act {
      if (point !== "after-send") return undefined;
      sends += 1;
      site.history.pop();
      return "unknown";
    },
  });
  await passTime(world.clock, "a person is asked", async () => (await engine.freshStatus()).needsPerson.length === 1, { stepMs: 2000 });
  assert.match((await engine.freshStatus()).needsPerson[0]?.why ?? "", /nothing is posted again without a person/);
  assert.equal(sends, 1);
});

test("a list that lags has counted nothing: the account's next run counts again, and finds the second copy", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", account, 1));
  const alarms: string[] = [];
  const find = world.site.find.bind(world.site);
  world.site.find = () => [];
  const { engine } = await world.farm({
    script(point, { next, site }) {
      if (point === "before-proof" && next?.episode.id === "t1-ep-1") site.publish(next.episode.marker, next.episode.title);
    },
  });
  engine.events.on("alarm", ({ episodeId }) => alarms.push(episodeId));
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed");
  assert.deepEqual(alarms, []);
  world.site.find = find;
  await world.clock.advance(card.settleMs);
  world.manager.add(aTask("t2", account, 1));
  await passTime(world.clock, "the next task is completed", () => world.manager.tasks.get("t2")?.status === "completed");
  assert.deepEqual(alarms, ["t1-ep-1"]);
});
