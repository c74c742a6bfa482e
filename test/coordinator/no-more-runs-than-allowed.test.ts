import assert from "node:assert/strict";
import { test } from "node:test";
import { eachBackend, givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";
import { card } from "../support/scripted-worker.ts";

eachBackend("never more sessions on a site than its driver allows, over all farms; never two on one account", async (t, { store }) => {
  const world = await givenWorld(t, store);
  for (let i = 1; i <= 6; i++) world.manager.add(aTask(`t${i}`, { account_id: i <= 3 ? "same" : `other-${i}` }, 1));
  const accounts = new Map<string, number>();
  let [now, peak, accountPeak] = [0, 0, 0];
  const script = async (point: string, { taskId }: { taskId: string }): Promise<void> => {
    const account = String(world.manager.tasks.get(taskId)?.account_id);
    const step = point === "begin" ? 1 : point === "feed" ? -1 : 0;
    now += step;
    accounts.set(account, (accounts.get(account) ?? 0) + step);
    peak = Math.max(peak, now);
    accountPeak = Math.max(accountPeak, ...accounts.values());
    await world.clock.sleep(300);
  };
  await world.farm({ script });
  // An embedded database has one farm only.
  if (store.backend === "postgres") await world.farm({ script });
  await passTime(world.clock, "all are completed", () => [...world.manager.tasks.values()].every((task) => task.status === "completed"));
  assert.equal(peak, card.concurrency);
  assert.equal(accountPeak, 1);
  assert.equal(world.site.history.length, 6);
});

test("the farm runs and pulls no more than its concurrency; with 0 it pulls nothing and says so", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  for (let i = 1; i <= 5; i++) world.manager.add(aTask(`t${i}`, {}, 1));
  const idle = await world.farm({ over: { concurrency: 0 } });
  await world.clock.advance(30_000);
  assert.deepEqual([world.manager.seen.length, idle.engine.status().waits], [0, ["CONCURRENCY is 0: nothing is pulled"]]);
  await idle.engine.stop(0);

  const { pool } = await world.farm({ over: { concurrency: 1, cards: [{ ...card, concurrency: 9 }] } });
  await passTime(world.clock, "all are completed", () => [...world.manager.tasks.values()].every((task) => task.status === "completed"));
  assert.equal(pool.peak, 1);
  assert.match(world.manager.seen[0]?.path ?? "", /^\/links\?type=primary&limit=1$/);
  assert.deepEqual(
    [world.manager.seen[0]?.headers["x-worker-id"], world.manager.seen[0]?.headers["x-worker-sites"]],
    ["farm-test", "studio.example.com"],
  );
});

test("a disk that can't be written: nothing is claimed, nothing is sent, and it is said", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 2));
  let problem: string | null = null;
  let told = false;
  const { engine } = await world.farm({
    over: { disk: async () => problem },
    script(point, { next }) {
      if (point !== "before-arm" || next?.position !== 2 || told) return;
      told = true;
      problem = "the disk is full";
    },
  });
  await passTime(world.clock, "it is said", async () => (await engine.freshStatus()).waits.includes("the disk is full"));
  await world.clock.advance(60_000);
  assert.equal(world.site.history.length, 1);
  problem = null;
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed");
  assert.equal(world.site.history.length, 2);
});

test("a stop drains: the episode under way is finished, the rest goes on at the next start", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1"));
  let stopping: Promise<void> | null = null;
  const first = await world.farm({
    script(point, { next }) {
      if (point === "before-arm" && next?.position === 2) stopping ??= first.engine.stop(30_000);
    },
  });
  let stopped = false;
  await passTime(world.clock, "it stops", () => {
    void stopping?.then(() => (stopped = true));
    return stopped;
  });
  assert.equal(world.site.history.length, 2);
  assert.deepEqual(world.manager.effects, ["start t1"]);
  await world.farm();
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed");
  assert.equal(world.site.history.length, 3);
});
