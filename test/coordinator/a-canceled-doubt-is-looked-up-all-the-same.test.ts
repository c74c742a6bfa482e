import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import type { Act } from "../support/scripted-worker.ts";
import { passTime } from "../support/virtual-clock.ts";

const inBigSteps = { stepMs: 2000 };

for (const there of [true, false]) {
  test(`canceled while the outcome of a click is unknown: looked up, and ${there ? "reported, since it is out" : "canceled, since it is not there; nothing more is sent"}`, async (t) => {
    const { store } = await givenPglite(t);
    const world = await givenWorld(t, store);
    world.manager.add(aTask("t1", {}, there ? 1 : 2));
    let sends = 0;
    const { engine } = await world.farm({
      script(point, { site }): Act {
        if (point !== "after-send") return undefined;
        sends += 1;
        if (!there) site.history.pop();
        return "unknown";
      },
    });
    await passTime(world.clock, "unsure", async () => (await engine.freshStatus()).tasks.unsure === 1);
    const task = world.manager.tasks.get("t1");
    if (task) task.status = "cancel";
    // Longer than the keep-alive's round, which hears of it first.
    const key = { accountKey: "scripted:account-t1", episodeId: "t1-ep-1" };
    await passTime(world.clock, "it is known", async () => (await engine.ledger.episodes.get(key))?.state !== "doubt", inBigSteps);
    await passTime(
      world.clock,
      "the task has ended",
      async () => {
        const { tasks, outbox } = await engine.freshStatus();
        return (tasks.completed ?? 0) + (tasks.canceled ?? 0) === 1 && outbox.pending === 0;
      },
      inBigSteps,
    );
    assert.equal(sends, 1);
    assert.deepEqual(
      world.manager.effects.filter((effect) => effect !== "start t1"),
      there ? ["complete t1"] : [],
    );
    const rows = await engine.ledger.db.selectFrom("episodes").select("state").orderBy("episode_id").execute();
    assert.deepEqual(
      rows.map(({ state }) => state),
      there ? ["reported"] : ["canceled", "canceled"],
    );
  });
}

test("canceled while a person is asked about an episode: the question stays, and its answer is taken", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  const { engine } = await world.farm({
    repost: "never",
    script(point, { site }): Act {
      if (point !== "after-send") return undefined;
      site.history.pop();
      return "unknown";
    },
  });
  await passTime(world.clock, "a person is asked", async () => (await engine.freshStatus()).needsPerson.length === 1, inBigSteps);
  world.manager.tasks.delete("t1");
  await passTime(world.clock, "canceled", async () => (await engine.freshStatus()).tasks.canceled === 1, inBigSteps);
  assert.equal((await engine.freshStatus()).needsPerson[0]?.episodeId, "t1-ep-1");
  assert.equal(await engine.resolve({ task: "t1", episode: "t1-ep-1", posted: "https://studio.example.com/by-hand" }), null);
  assert.deepEqual((await engine.freshStatus()).needsPerson, []);
});
