import assert from "node:assert/strict";
import { eachBackend } from "../../support/store.ts";
import { aTask } from "../../support/given-engine.ts";
import { passTime } from "../../support/virtual-clock.ts";
import { givenTasks, maya, nam } from "./given-tasks.ts";

eachBackend("[T1] [T3] a task is posted through the ledger, once, and its record says where it is", async (t, { store }) => {
  const { create, until, task, world, local } = await givenTasks(t, store, { accounts: [maya] });
  const [id = 0] = await create({ script_config: { captions: "A cup of tea\nwith <milk>" } });
  await until(2, id);
  await passTime(world.clock, "the feed's address is reported", async () => Boolean((await task(id)).result?.link_rss));
  const { error, result, started_at, finished_at, username, serial, source, script_config } = await task(id);
  assert.deepEqual(
    [error, result, username, serial, source],
    [
      null,
      { links: ["https://studio.example.com/e/1"], link_rss: "https://studio.example.com/feed.xml" },
      "maya@example.com",
      "slot-1",
      "api",
    ],
  );
  assert.deepEqual(script_config, { captions: "A cup of tea\nwith <milk>" });
  assert.ok(started_at && finished_at && started_at <= finished_at);
  assert.deepEqual(
    world.site.history.map(({ title }) => title),
    ["A cup of tea"],
  );
  const rows = await local.db.selectFrom("tasks").select(["id", "source", "state"]).execute();
  assert.deepEqual(rows, [{ id: `local:${id}.1`, source: "local", state: "completed" }]);
  const episodes = await local.db.selectFrom("episodes").select(["state", "fence", "attempts"]).execute();
  assert.deepEqual(episodes, [{ state: "reported", fence: 1, attempts: 1 }]);
});

eachBackend("[T1] tasks of both sources are worked on side by side, and each report goes to its own", async (t, { store }) => {
  const { create, until, world, local } = await givenTasks(t, store, { accounts: [maya, nam] });
  world.manager.add(aTask("m1"));
  const ids = await create({ usernames: ["nam", "maya@example.com"] });
  await until(2, ...ids);
  await passTime(world.clock, "the manager's is completed", () => world.manager.tasks.get("m1")?.status === "completed");
  assert.equal(world.site.history.length, 5);
  assert.equal(new Set(world.site.history.map(({ marker }) => marker)).size, 5);
  const reports = async () =>
    local.db
      .selectFrom("outbox")
      .innerJoin("tasks", "tasks.id", "outbox.task_id")
      .select(["tasks.id", "tasks.source", "outbox.kind", "outbox.state"])
      .execute();
  await passTime(world.clock, "all is reported", async () => (await reports()).every(({ state }) => state === "delivered"));
  const ofManager = (await reports()).filter(({ source }) => source !== "local").map(({ id, kind }) => `${kind} ${id}`);
  assert.deepEqual(ofManager.toSorted(), ["account m1", "complete m1", "start m1"]);
  assert.deepEqual(world.manager.effects.toSorted(), ofManager.toSorted());
  assert.ok(world.manager.seen.every(({ path }) => !path.includes("local")));
});
