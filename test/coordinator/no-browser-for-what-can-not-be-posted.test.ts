import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import type { Preflight } from "../../src/coordinator/ports.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { givenPglite } from "../support/store.ts";
import { passTime } from "../support/virtual-clock.ts";

/** Episodes whose titles are listed are too large; of the others nothing is wrong. */
async function given(t: TestContext, tooLarge: readonly string[]) {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1"));
  const checked: string[] = [];
  const preflight: Preflight = async ({ episode: { title } }) => {
    checked.push(title);
    if (tooLarge.includes(title)) throw new Failure("content.audio", "the audio has 250.0 MB, the site takes 200.0 MB");
  };
  const { engine, pool } = await world.farm({ over: { preflight } });
  const until = async (effect: string): Promise<void> =>
    passTime(world.clock, effect, async () => (await engine.freshStatus()).outbox.pending === 0 && world.manager.effects.includes(effect));
  return { world, pool, checked, until };
}

test("a task of which no episode can be posted fails without a browser, and says the limit and the actual value", async (t) => {
  const titles = [1, 2, 3].map((number) => `Episode ${number} of t1`);
  const { world, pool, checked, until } = await given(t, titles);
  await until("fail t1");
  assert.deepEqual(checked, titles);
  assert.deepEqual(pool.assignments, []);
  const task = world.manager.tasks.get("t1");
  assert.match(String(task?.["error_message"]), /^0\/3 posted\. "Episode 1 of t1": the audio has 250\.0 MB, the site takes 200\.0 MB\. /);
  assert.deepEqual(world.site.history, []);
});

test("one episode that can be posted is enough to begin, and the first one that can ends the checks", async (t) => {
  const { world, pool, checked, until } = await given(t, ["Episode 1 of t1"]);
  await until("fail t1");
  assert.deepEqual(checked, ["Episode 1 of t1", "Episode 2 of t1"]);
  assert.equal(pool.assignments.length, 1);
  assert.deepEqual(
    world.site.history.map(({ title }) => title),
    ["Episode 2 of t1", "Episode 3 of t1"],
  );
  assert.match(String(world.manager.tasks.get("t1")?.["error_message"]), /^2\/3 posted\. "Episode 1 of t1": the audio has 250\.0 MB/);
});
