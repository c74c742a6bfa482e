import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";

const first = { accountKey: "scripted:account-t1", episodeId: "t1-ep-1" };
const again = (): Record<string, unknown> => ({ ...aTask("t1", {}, 2), id: "t2" });

test("the one that is at it keeps its claim for as long as it takes, and each episode is posted once", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 2));
  const goOn = Promise.withResolvers<void>();
  let reached = 0;
  const { engine } = await world.farm({
    async script(point) {
      if (point !== "before-arm") return;
      reached += 1;
      await goOn.promise;
    },
  });
  await passTime(world.clock, "right before the click", () => reached > 0);
  world.manager.add(again());
  await world.clock.advance(3 * 60_000);
  assert.equal((await engine.ledger.episodes.get(first))?.state, "ready");
  goOn.resolve();
  await passTime(world.clock, "both completed", () => [...world.manager.tasks.values()].every((task) => task.status === "completed"));
  assert.equal(world.site.history.length, 2);
  assert.deepEqual(
    world.manager.effects.filter((effect) => effect.startsWith("fail")),
    [],
  );
});

test("what was canceled with one task is posted for the next", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 2));
  const { engine } = await world.farm({
    script(point) {
      const task = world.manager.tasks.get("t1");
      if (point === "next" && task) task.status = "cancel";
    },
  });
  await passTime(world.clock, "canceled", async () => (await engine.freshStatus()).tasks.canceled === 1);
  world.manager.add(again());
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t2")?.status === "completed");
  assert.equal(world.site.history.length, 2);
  assert.deepEqual(
    world.manager.effects.filter((effect) => effect.startsWith("fail")),
    [],
  );
});
