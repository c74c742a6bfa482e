import assert from "node:assert/strict";
import { test } from "node:test";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { card } from "../support/scripted-worker.ts";
import { givenPglite } from "../support/store.ts";
import { passTime } from "../support/virtual-clock.ts";

test("each run is given the driver's newest card, and the next one starts from there", async (t) => {
  const { store } = await givenPglite(t);
  const { clock, manager, farm } = await givenWorld(t, store);
  const asked: string[] = [];
  let newest = card;
  const { engine, pool } = await farm({
    over: {
      freshCard: async (given) => {
        asked.push(given.module);
        return newest;
      },
    },
  });
  for (const version of [1, 2]) {
    newest = { ...card, module: `${card.module}?copy=${version}` };
    manager.add(aTask(`t${version}`, {}, 1));
    await passTime(clock, `task ${version} is completed`, async () => (await engine.freshStatus()).tasks.completed === version);
  }
  assert.deepEqual(
    pool.assignments.map(({ assignment }) => assignment.driverModule),
    [`${card.module}?copy=1`, `${card.module}?copy=2`],
  );
  assert.deepEqual(asked.slice(0, 2), [card.module, `${card.module}?copy=1`]);
});
