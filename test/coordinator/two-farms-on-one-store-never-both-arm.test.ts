import assert from "node:assert/strict";
import { test } from "node:test";
import { postgresMissing } from "../support/postgres.ts";
import { eachBackend, givenPostgres } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { fleetName } from "../../src/coordinator/fleet-name.ts";
import { card } from "../support/scripted-worker.ts";
import { passTime } from "../support/virtual-clock.ts";

test("two farms that pull the same tasks post every episode once", { skip: postgresMissing ?? false }, async (t) => {
  const { store } = await givenPostgres(t);
  const world = await givenWorld(t, store);
  for (const id of ["t1", "t2", "t3"]) world.manager.add(aTask(id));
  await Promise.all([world.farm(), world.farm()]);

  await passTime(world.clock, "all three are completed", () =>
    [...world.manager.tasks.values()].every((task) => task.status === "completed"),
  );

  const titles = world.site.history.map((post) => post.title);
  assert.equal(titles.length, 9);
  assert.equal(new Set(world.site.history.map((post) => post.marker)).size, 9);
});

test("farms on one database have room of their own, and one name at the manager", { skip: postgresMissing ?? false }, async (t) => {
  const { store } = await givenPostgres(t);
  assert.equal(await fleetName(store, "first"), "first");
  assert.equal(await fleetName(store, "second"), "first");

  const world = await givenWorld(t, store);
  const go = Promise.withResolvers<void>();
  for (let index = 0; index < 4; index++) world.manager.add(aTask(`t${index}`, {}, 1));
  const over = { concurrency: 2, cards: [{ ...card, concurrency: 8 }] };
  const farms = [await world.farm({ over, script: async () => go.promise }), await world.farm({ over, script: async () => go.promise })];
  await passTime(world.clock, "both are full", () => farms.every(({ pool }) => pool.running.size === 2));
  go.resolve();
  await passTime(world.clock, "all are completed", () => [...world.manager.tasks.values()].every((task) => task.status === "completed"));
});

eachBackend("a farm that freezes before the click loses its task, and its click is refused when it thaws", async (t, { store }) => {
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  const thaw = Promise.withResolvers<void>();
  const frozen = await world.farm({
    async script(point) {
      if (point === "before-arm") await thaw.promise;
    },
  });
  await passTime(world.clock, "the first farm is about to arm", () => frozen.pool.running.has("t1"));
  await passTime(
    world.clock,
    "it has its claim",
    async () => (await frozen.engine.ledger.episodes.get({ accountKey: "scripted:account-t1", episodeId: "t1-ep-1" }))?.state === "ready",
  );
  frozen.crash();
  await world.farm();
  await passTime(world.clock, "the second farm has posted it", () => world.manager.tasks.get("t1")?.status === "completed");

  thaw.resolve();
  await passTime(world.clock, "the frozen worker has come to its end", () => frozen.pool.running.size === 0);
  assert.equal(world.site.history.length, 1);
  const row = await frozen.engine.ledger.episodes.get({ accountKey: "scripted:account-t1", episodeId: "t1-ep-1" });
  assert.ok(row?.state === "posted" || row?.state === "reported");
  assert.equal(row.fence, 2);
});

test(
  "a farm that is given up while it is alive: the other waits for it, and nothing is posted twice or reported as failed",
  { skip: postgresMissing ?? false },
  async (t) => {
    const { store } = await givenPostgres(t);
    const world = await givenWorld(t, store);
    world.manager.add(aTask("t1"));
    const first = await world.farm({
      async script(point) {
        if (point === "before-look") await world.clock.sleep(2000);
      },
    });
    await passTime(world.clock, "the first farm works on it", () => first.pool.running.has("t1"));
    await first.engine.ledger.db.updateTable("tasks").set({ state: "waiting" }).where("id", "=", "t1").execute();
    await world.queue.send({ id: "t1", accountKey: "somebody-else" });
    await world.farm();
    await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed");
    assert.equal(world.site.history.length, 3);
    assert.ok(!world.manager.effects.includes("fail t1"));
  },
);
