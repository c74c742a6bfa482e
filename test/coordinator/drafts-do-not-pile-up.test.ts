import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { card } from "../support/scripted-worker.ts";
import { passTime } from "../support/virtual-clock.ts";

test("the draft of an episode that was canceled is taken away by the account's next run", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", { account_id: "one" }, 2));
  const { engine } = await world.farm({
    over: { cards: [{ ...card, discards: true }] },
    script(point, { next }) {
      const task = world.manager.tasks.get("t1");
      if (point === "before-arm" && next?.episode.id === "t1-ep-2" && task) task.status = "cancel";
    },
  });
  await passTime(world.clock, "canceled", async () => (await engine.freshStatus()).tasks.canceled === 1);
  assert.deepEqual(world.site.discarded, []);
  world.manager.add(aTask("t2", { account_id: "one" }, 1));
  await passTime(world.clock, "the next task is completed", () => world.manager.tasks.get("t2")?.status === "completed");
  assert.deepEqual(world.site.discarded, ["draft-t1-ep-2"], "the posted episode's draft stays: it is the episode");
  world.manager.add(aTask("t3", { account_id: "one" }, 1));
  await passTime(world.clock, "and the one after it", () => world.manager.tasks.get("t3")?.status === "completed");
  assert.equal(world.site.discarded.length, 1, "once");
});
