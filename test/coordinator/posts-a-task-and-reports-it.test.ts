import assert from "node:assert/strict";
import { systemClock } from "../../src/kit/clock.ts";
import { openQueue } from "../../src/store/queue.ts";
import { eachBackend, silentLog } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";

eachBackend("a pulled task is posted in order and reported: start, complete, account", async (t, { store }) => {
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1"));
  const { engine } = await world.farm();

  await passTime(
    world.clock,
    "all is reported",
    async () => (await engine.freshStatus()).outbox.pending === 0 && world.manager.effects.includes("account t1"),
  );

  assert.deepEqual(
    world.site.history.map((post) => post.title),
    ["Episode 1 of t1", "Episode 2 of t1", "Episode 3 of t1"],
  );
  assert.deepEqual(world.manager.effects, ["start t1", "complete t1", "account t1"]);
  const task = world.manager.tasks.get("t1");
  assert.equal(task?.["link_post"], world.site.history[0]?.link);
  assert.deepEqual(JSON.parse(String(task?.["note"])), {
    "t1-ep-1": world.site.history[0]?.link,
    "t1-ep-2": world.site.history[1]?.link,
    "t1-ep-3": world.site.history[2]?.link,
  });
  assert.deepEqual(task?.["account"], { link_rss: "https://studio.example.com/feed.xml" });
  const status = await engine.freshStatus();
  assert.deepEqual([status.tasks, status.outbox.pending, status.running], [{ completed: 1 }, 0, []]);
  const states = await engine.ledger.db.selectFrom("episodes").select("state").execute();
  assert.deepEqual(
    states.map((row) => row.state),
    ["reported", "reported", "reported"],
  );
});

eachBackend("with the real queue and the real clock: two accounts at a time, all reported, and the farm is idle", async (t, { store }) => {
  const world = await givenWorld(t, store);
  for (const id of ["t1", "t2", "t3"]) world.manager.add(aTask(id, {}, 2));
  const queue = await openQueue(store, silentLog);
  t.after(async () => queue.close());
  const { engine } = await world.farm({ over: { queue, clock: systemClock, concurrency: 2 } });
  await engine.idle(20_000);
  assert.deepEqual(
    [...world.manager.tasks.values()].map((task) => task.status),
    ["completed", "completed", "completed"],
  );
  assert.equal(world.site.history.length, 6);
  assert.deepEqual(await queue.pending(), []);
  await engine.stop(5000);
});
