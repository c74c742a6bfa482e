import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { card } from "../support/scripted-worker.ts";
import { passTime } from "../support/virtual-clock.ts";

test("a driver that settles sooner than a request may take is not believed: the look comes after the request's deadline", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  const { engine } = await world.farm({
    over: { cards: [{ ...card, settleMs: 5000 }] },
    script: (point) => (point === "after-send" ? "unknown" : undefined),
  });
  const key = { accountKey: "scripted:account-t1", episodeId: "t1-ep-1" };
  await passTime(world.clock, "in doubt", async () => (await engine.ledger.episodes.get(key))?.state === "doubt");
  const row = await engine.ledger.episodes.get(key);
  const requestMs = 60_000;
  assert.ok((row?.due?.getTime() ?? 0) - (row?.armed_at?.getTime() ?? 0) >= requestMs);
});
