import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";

const MINUTE_MS = 60_000;
const taken = { path: /start/, status: 409, body: { success: false, message: "task_claimed", code: "task_claimed" }, times: 99 };

test("a worker whose task was handed to another farm does not click", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const { engine } = await world.farm({
    async script(point) {
      if (point !== "before-arm") return;
      reached.resolve();
      await goOn.promise;
    },
  });
  let isReached = false;
  void reached.promise.then(() => (isReached = true));
  await passTime(world.clock, "right before the click", () => isReached);
  world.manager.fail(taken);
  await world.clock.advance(11 * MINUTE_MS);
  goOn.resolve();
  await passTime(world.clock, "given up", async () => (await engine.freshStatus()).tasks.canceled === 1);
  assert.equal(world.site.history.length, 0);
  assert.deepEqual(world.manager.effects, ["start t1"], "no further report");
});

test("a task that waited here longer than the manager's lease is not begun while the manager is silent, nor after it gave the task away", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  let disk: string | null = null;
  const { engine } = await world.farm({ over: { disk: async () => disk, concurrency: 1 }, start: false });
  await engine.start();
  await passTime(world.clock, "started at the manager", () => {
    if (world.manager.effects.includes("start t1")) disk = "the disk is full";
    return disk !== null;
  });
  if (world.site.history.length > 0) return t.skip("it was faster than the disk");
  world.manager.down = true;
  await world.clock.advance(20 * MINUTE_MS);
  disk = null;
  await world.clock.advance(MINUTE_MS);
  assert.equal(world.site.history.length, 0, "nobody knows whose task it is");
  world.manager.fail(taken);
  world.manager.down = false;
  await passTime(world.clock, "given up", async () => (await engine.freshStatus()).tasks.canceled === 1);
  assert.equal(world.site.history.length, 0);
});
