import assert from "node:assert/strict";
import { dataOf, link, withManager } from "./support.ts";

withManager("[W6] [W3] a start makes the task running, also when it is said twice", async ({ farm, task, manager, clock }) => {
  const id = await task();
  const one = farm("farm-1");
  await one.pull();
  assert.equal((await manager.task(id))?.state, "claimed");
  for (let said = 0; said < 2; said += 1) {
    const answer = await one.start(id);
    assert.deepEqual([answer.status, answer.text], [200, '{"success":true}']);
    assert.equal(dataOf(await one.read(id)).status, "running");
    clock.forwardMinutes(10);
  }
  const view = await manager.task(id);
  assert.deepEqual([view?.holder, view?.startedAt?.getTime()], ["farm-1", clock.now() - 20 * 60_000]);
});

withManager("[start] of what nobody holds claims it", async ({ farm, task }) => {
  const id = await task();
  assert.equal((await farm("farm-2").start(id)).status, 200);
  assert.deepEqual(await farm("farm-1").pull(), []);
});

withManager("[start] of what another holds is 409 task_claimed, claimed or running", async ({ farm, task }) => {
  const id = await task();
  const [one, two] = [farm("farm-1"), farm("farm-2")];
  await one.pull();
  const claimed = await two.start(id);
  assert.deepEqual([claimed.status, claimed.body.success, claimed.body.code], [409, false, "task_claimed"]);
  await one.start(id);
  assert.equal((await two.start(id)).body.code, "task_claimed");
  assert.equal(dataOf(await one.read(id)).status, "running");
});

withManager("[start] of a task that has ended is 409 bad_transition", async ({ farm, task, manager }) => {
  const [done, failed, canceled] = [await task(), await task(), await task()];
  const one = farm("farm-1");
  for (const id of [done, failed]) await one.start(id);
  await one.complete(done, { link_post: link });
  await one.fail(failed, { error_message: "the password is wrong", retry: false });
  await manager.cancelTask(canceled);
  for (const id of [done, failed, canceled]) assert.equal((await one.start(id)).body.code, "bad_transition");
});

withManager(
  "[person] a farm that holds a task for a person keeps it by starting it again every five minutes",
  async ({ farm, task, clock }) => {
    const id = await task();
    const one = farm("farm-1");
    await one.start(id);
    for (let minutes = 0; minutes < 120; minutes += 5) {
      assert.deepEqual(await farm("farm-2").pull(), []);
      clock.forwardMinutes(5);
      assert.equal((await one.start(id)).status, 200);
    }
  },
);
