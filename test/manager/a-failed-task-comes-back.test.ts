import assert from "node:assert/strict";
import { dataOf, link, withManager } from "./support.ts";

withManager(
  "[W9] [retry] a failed task is queued again after 1, 2 and 4 minutes; the fourth failure is the last",
  async ({ farm, task, manager, clock }) => {
    const id = await task();
    const one = farm("farm-1");
    for (const [retries, minutes] of [
      [1, 1],
      [2, 2],
      [3, 4],
    ] as const) {
      await one.pull();
      await one.start(id);
      const answer = await one.fail(id, { error_message: `attempt ${retries}` });
      assert.deepEqual([answer.status, answer.text], [200, '{"success":true}']);
      const view = await manager.task(id);
      assert.deepEqual([view?.status, view?.retryCount, view?.errorMessage], ["queued", retries, `attempt ${retries}`]);
      assert.match(view?.waitsFor ?? "", /handed out again at/);
      clock.forwardMinutes(minutes - 0.1);
      assert.deepEqual(await one.pull(), []);
      clock.forwardMinutes(0.2);
      assert.equal((await farm("farm-2").pull()).length, 1);
      await manager.task(id);
      clock.forwardMinutes(15);
    }
    await one.start(id);
    await one.fail(id, { error_message: "attempt 4" });
    assert.equal(dataOf(await one.read(id)).status, "failed");
    clock.forwardMinutes(60);
    assert.deepEqual(await one.pull(), []);
  },
);

withManager("[permanent] retry:false, or a code that time does not heal, ends the task at once", async ({ farm, task, manager }) => {
  const one = farm("farm-1");
  const cases = [
    [{ retry: false }, "failed"],
    [{ code: "account.refused" }, "failed"],
    [{ code: "account.refused", retry: true }, "queued"],
    [{ code: "site.unreachable" }, "queued"],
    [{ code: "somebody.elses_code" }, "queued"],
    [{ code: null, retry: null }, "queued"],
  ] as const;
  for (const [more, status] of cases) {
    const id = await task();
    await one.start(id);
    assert.equal((await one.fail(id, { error_message: "no", ...more })).status, 200);
    const view = await manager.task(id);
    assert.deepEqual([view?.status, view?.failureCode], [status, ("code" in more && more.code) || null], JSON.stringify(more));
  }
});

withManager("[fail] only the holder gives a task up", async ({ farm, task, clock }) => {
  const id = await task();
  const [one, two] = [farm("farm-1"), farm("farm-2")];
  assert.equal((await one.fail(id)).body.code, "bad_transition", "nobody's");
  await one.start(id);
  const answer = await two.fail(id);
  assert.deepEqual([answer.status, answer.body.code], [409, "task_claimed"]);
  clock.forwardMinutes(16);
  await two.start(id);
  assert.equal((await one.fail(id)).body.code, "task_claimed", "a former holder");
  assert.equal(dataOf(await two.read(id)).status, "running");
});

withManager(
  "[fail] before the start, or just after the lease, the last holder may still say it",
  async ({ farm, task, clock, manager }) => {
    const [claimed, late] = [await task({ priority: 1 }), await task()];
    const one = farm("farm-1");
    await one.pull();
    assert.equal((await one.fail(claimed)).status, 200);
    await one.start(late);
    clock.forwardMinutes(20);
    assert.equal((await one.fail(late)).status, 200);
    assert.equal((await manager.task(late))?.retryCount, 1);
  },
);

withManager("[fail again] a report whose answer was lost counts once", async ({ farm, task, manager }) => {
  const id = await task();
  const one = farm("farm-1");
  await one.start(id);
  await one.fail(id, { error_message: "no" });
  assert.equal((await one.fail(id, { error_message: "no" })).status, 200);
  assert.equal((await manager.task(id))?.retryCount, 1);
  assert.equal((await one.fail(id, { error_message: "something else" })).body.code, "bad_transition");
});

withManager(
  "[fail] of a completed or canceled task is 409, a body without error_message 400, one too long 422",
  async ({ farm, task, manager }) => {
    const [done, canceled, open] = [await task(), await task(), await task()];
    const one = farm("farm-1");
    for (const id of [done, canceled, open]) await one.start(id);
    await one.complete(done, { link_post: link });
    await manager.cancelTask(canceled);
    for (const id of [done, canceled]) assert.equal((await one.fail(id)).body.code, "bad_transition");
    for (const json of [{}, { error_message: null }, { error_message: 5 }, { error_message: "no", retry: "yes" }])
      assert.equal((await one.fail(open, json)).status, 400, JSON.stringify(json));
    assert.equal((await one.fail(open, { error_message: "x".repeat(10_001) })).status, 422);
  },
);
