import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";

test("a driver's error that quotes the password reaches the manager and the ledger without it", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", { password: "correct horse 7" }, 1));
  const { engine } = await world.farm({
    script(point) {
      if (point === "before-look") throw new Failure("site.changed", 'the field did not take "correct horse 7"');
    },
  });
  await passTime(world.clock, "failed", () => world.manager.tasks.get("t1")?.status === "failed");
  const said = String(world.manager.tasks.get("t1")?.["error_message"]);
  assert.match(said, /the field did not take/);
  assert.doesNotMatch(said, /correct horse/);
  assert.doesNotMatch(JSON.stringify((await engine.ledger.task("t1"))?.failure), /correct horse/);
});
