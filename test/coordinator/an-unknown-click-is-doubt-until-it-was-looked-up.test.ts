import assert from "node:assert/strict";
import { test } from "node:test";
import { eachBackend, givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";
import type { Act } from "../support/scripted-worker.ts";
import { card } from "../support/scripted-worker.ts";

const first = { accountKey: "scripted:account-t1", episodeId: "t1-ep-1" };
const MINUTE_MS = 60_000;
const inBigSteps = { stepMs: 2000 };

for (const [where, point] of [
  ["look", "before-look"],
  ["arm", "before-arm"],
  ["gate", "before-gate"],
  ["proof", "before-proof"],
] as const) {
  eachBackend(
    `a farm that dies before the ${where} posts once all the same: what was armed is doubt, and looked up when it has settled`,
    async (t, { store }) => {
      const world = await givenWorld(t, store);
      world.manager.add(aTask("t1", {}, 2));
      const dying = await world.farm({ script: (at): Act => (at === point ? "hang" : undefined) });
      const armed = point === "before-gate" || point === "before-proof";
      const held = point === "before-look" ? "claimed" : armed ? "armed" : "ready";
      await passTime(
        world.clock,
        `the worker is before the ${where}`,
        async () =>
          (await dying.engine.ledger.episodes.get(first))?.state === held && (point !== "before-proof" || world.site.history.length > 0),
      );
      const armedAt = (await dying.engine.ledger.episodes.get(first))?.armed_at?.getTime();
      dying.crash();

      const next = await world.farm();
      if (armedAt !== undefined && store.backend === "pglite") {
        const row = await next.engine.ledger.episodes.get(first);
        assert.deepEqual([row?.state, row?.due?.getTime()], ["doubt", armedAt + card.settleMs]);
        assert.equal((await next.engine.freshStatus()).tasks.unsure, 1);
        await world.clock.advance(MINUTE_MS);
        assert.equal((await next.engine.ledger.episodes.get(first))?.state, "doubt", "not looked up before it has settled");
      }
      await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed", inBigSteps);
      assert.deepEqual(
        world.site.history.map((post) => post.title),
        ["Episode 1 of t1", "Episode 2 of t1"],
      );
      assert.deepEqual(
        world.manager.effects.filter((effect) => effect.startsWith("fail")),
        [],
      );
    },
  );
}

test("a lost answer: the task shows unsure, the episodes after it wait, and the look finds it", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1"));
  let lost = false;
  const { engine } = await world.farm({
    script(point): Act {
      if (point !== "after-send" || lost) return undefined;
      lost = true;
      return "unknown";
    },
  });
  await passTime(world.clock, "unsure", async () => (await engine.freshStatus()).tasks.unsure === 1);
  assert.equal(world.site.history.length, 1);
  assert.match((await engine.freshStatus()).waits.join(), /outcome of a publish click is unknown; the site is looked at/);
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed", inBigSteps);
  assert.deepEqual(
    world.site.history.map((post) => post.title),
    ["Episode 1 of t1", "Episode 2 of t1", "Episode 3 of t1"],
  );
});

test("absent twice: a person decides, the others go on, nothing is reported as failed; both answers are taken", async (t) => {
  for (const word of ["posted", "absent"] as const) {
    const { store } = await givenPglite(t);
    const world = await givenWorld(t, store);
    world.manager.add(aTask("t1", {}, 2));
    let broken = true;
    const { engine } = await world.farm({
      over: { cards: [{ ...card, tier: "list" }] },
      script(point, { next, site }): Act {
        if (point !== "after-send" || !broken || next?.episode.id !== "t1-ep-1") return undefined;
        // The request vanished on its way.
        site.history.pop();
        return "unknown";
      },
    });
    await passTime(world.clock, "a person is needed", async () => (await engine.freshStatus()).tasks.needs_person === 1, inBigSteps);
    assert.deepEqual(
      world.site.history.map((post) => post.title),
      ["Episode 2 of t1"],
    );
    const [person] = (await engine.freshStatus()).needsPerson;
    assert.deepEqual([person?.taskId, person?.episodeId, person?.title], ["t1", "t1-ep-1", "Episode 1 of t1"]);
    assert.match(person?.why ?? "", /sent 2 times with an unknown outcome/);

    if (word === "posted") {
      await world.clock.advance(11 * MINUTE_MS);
      assert.equal(world.manager.tasks.get("t1")?.status, "running", "held, not failed");
      const starts = world.manager.seen.filter((request) => request.path === "/links/t1/start").length;
      assert.ok(starts >= 3, "the hold is renewed while a person is asked");
    }

    broken = false;
    assert.match((await engine.resolve({ task: "t1", episode: "nope", absent: true })) ?? "", /does not wait for a person/);
    assert.equal(
      await engine.resolve({
        task: "t1",
        episode: "t1-ep-1",
        ...(word === "posted" ? { posted: "https://studio.example.com/by-hand" } : { absent: true }),
      }),
      null,
    );
    await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed", inBigSteps);
    const expected = word === "posted" ? ["Episode 2 of t1"] : ["Episode 2 of t1", "Episode 1 of t1"];
    assert.deepEqual(
      world.site.history.map((post) => post.title),
      expected,
    );
  }
});

test("an episode that is on the site already (a restored backup) is recorded, not posted", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 2));
  const { markerOf } = await import("../../src/coordinator/marker.ts");
  world.site.publish(markerOf(first.accountKey, first.episodeId), "Episode 1 of t1");
  const { engine } = await world.farm();
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed", inBigSteps);
  assert.equal(world.site.history.length, 2);
  assert.equal((await engine.ledger.episodes.get(first))?.link, world.site.history[0]?.link);
});

test("where publishing a draft again is harmless, two lost clicks are no reason to ask a person; six are", async (t) => {
  for (const lost of [4, 99]) {
    const { store } = await givenPglite(t);
    const world = await givenWorld(t, store);
    world.manager.add(aTask("t1", {}, 1));
    let clicks = 0;
    const { engine } = await world.farm({
      script(point, { site }): Act {
        if (point !== "after-send") return undefined;
        clicks += 1;
        if (clicks > lost) return undefined;
        site.history.pop();
        return "unknown";
      },
    });
    const over = async (): Promise<boolean> => {
      const { tasks } = await engine.freshStatus();
      return (tasks.completed ?? 0) + (tasks.needs_person ?? 0) === 1;
    };
    await passTime(world.clock, "it has come to an end", over, inBigSteps);
    assert.deepEqual([world.site.history.length, clicks], lost === 4 ? [1, 5] : [0, 6]);
  }
});
