import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";

for (const [how, cancel] of [
  ["cancel", (task: { status: string }) => void (task.status = "cancel")],
  ["canceled", (task: { status: string }) => void (task.status = "canceled")],
  ["404", null],
] as const) {
  test(`canceled right before the second click (${how}): not sent, no further report`, async (t) => {
    const { store } = await givenPglite(t);
    const world = await givenWorld(t, store);
    world.manager.add(aTask("t1"));
    const { engine } = await world.farm({
      script(point, { next }) {
        const task = world.manager.tasks.get("t1");
        if (point !== "before-arm" || next?.episode.id !== "t1-ep-2" || !task) return;
        if (cancel) cancel(task);
        else world.manager.tasks.delete("t1");
      },
    });
    await passTime(world.clock, "canceled", async () => (await engine.freshStatus()).tasks.canceled === 1);
    await world.clock.advance(60_000);
    assert.deepEqual(
      world.site.history.map((post) => post.title),
      ["Episode 1 of t1"],
    );
    assert.deepEqual(world.manager.effects, ["start t1"]);
    const rows = await engine.ledger.db.selectFrom("episodes").select(["episode_id", "state"]).orderBy("episode_id").execute();
    assert.deepEqual(
      rows.map((row) => row.state),
      ["posted", "canceled", "canceled"],
    );
  });
}

test("a canceled task that the manager hands out again posts only the rest", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1"));
  const task = world.manager.tasks.get("t1");
  let once = true;
  await world.farm({
    script(point, { next }) {
      if (point !== "before-arm" || next?.position !== 2 || !task || !once) return;
      once = false;
      task.status = "cancel";
    },
  });
  await passTime(world.clock, "one is posted and it is canceled", () => task?.status === "cancel");
  await world.clock.advance(30_000);
  if (task) task.status = "queued";
  await passTime(world.clock, "completed", () => task?.status === "completed");
  assert.equal(world.site.history.length, 3);
});

test("a task that somebody else started is given up before it begins", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1"));
  world.manager.fail({ path: /start/, status: 409, body: { success: false, message: "task_claimed", code: "task_claimed" }, times: 99 });
  const { engine } = await world.farm();
  await passTime(world.clock, "given up", async () => (await engine.freshStatus()).tasks.canceled === 1);
  await world.clock.advance(50_000);
  assert.equal(world.site.history.length, 0);
  assert.equal(world.manager.seen.filter((request) => request.path === "/links/t1/start").length, 1, "it is not asked for over and over");
});
