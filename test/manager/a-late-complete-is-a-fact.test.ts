import assert from "node:assert/strict";
import { dataOf, link, withManager } from "./support.ts";

const other = "https://studio.example.com/e/ep-2";

withManager("[W7] a running task is completed with link and note", async ({ farm, task, manager, clock }) => {
  const id = await task();
  const one = farm("farm-1");
  await one.pull();
  await one.start(id);
  const note = JSON.stringify({ "episode-1": link, "episode-2": other });
  const answer = await one.complete(id, { link_post: link, note });
  assert.deepEqual([answer.status, answer.text], [200, '{"success":true}']);
  const shown = dataOf(await one.read(id));
  assert.deepEqual([shown.status, shown["link_post"], shown["note"]], ["completed", link, note]);
  const view = await manager.task(id);
  assert.deepEqual([view?.completedAt?.getTime(), view?.leaseUntil], [clock.now(), null]);
  assert.deepEqual(await farm("farm-2").pull(), []);
});

withManager("[W7] credentials and link_rss sent with it are ignored", async ({ farm, task, manager }) => {
  const id = await task();
  const one = farm("farm-1");
  const before = dataOf(await one.read(id));
  await one.start(id);
  assert.equal(
    (await one.complete(id, { link_post: link, note: null, link_rss: "https://x.example/rss", password: "changed", status: "failed" }))
      .status,
    200,
  );
  assert.equal(dataOf(await one.read(id)).password, before.password);
  assert.equal((await manager.task(id))?.account.linkRss, "");
});

withManager("[W7] link_post has to be there (400) and an http address (422)", async ({ farm, task }) => {
  const id = await task();
  const one = farm("farm-1");
  await one.start(id);
  for (const body of [{}, { link_post: null }, { link_post: 5 }, { link_post: link, note: 5 }])
    assert.equal((await one.complete(id, body)).status, 400, JSON.stringify(body));
  for (const body of [{ link_post: "" }, { link_post: "ep-1" }, { link_post: "ftp://a.example/x" }, { link_post: "javascript:alert(1)" }]) {
    const answer = await one.complete(id, body);
    assert.deepEqual([answer.status, answer.body.code], [422, "unprocessable"], JSON.stringify(body));
  }
  assert.equal(dataOf(await one.read(id)).status, "running");
});

withManager("[complete again] the same link is 200, another one 409", async ({ farm, task, manager }) => {
  const id = await task();
  const one = farm("farm-1");
  await one.start(id);
  await one.complete(id, { link_post: link, note: "first" });
  assert.equal((await one.complete(id, { link_post: link, note: "second" })).status, 200);
  assert.equal((await farm("farm-2").complete(id, { link_post: link })).status, 200);
  const differs = await one.complete(id, { link_post: other });
  assert.deepEqual([differs.status, differs.body.code], [409, "link_post_differs"]);
  const view = await manager.task(id);
  assert.deepEqual([view?.linkPost, view?.note], [link, "first"]);
});

withManager("[complete not running] by somebody who never started it is 409 bad_transition", async ({ farm, task, manager }) => {
  const [queued, claimed, canceled, failed] = [await task(), await task({ priority: 1 }), await task(), await task()];
  const one = farm("farm-1");
  assert.deepEqual(
    (await one.pull("?limit=1")).map(({ id }) => id),
    [claimed],
  );
  await manager.cancelTask(canceled);
  await farm("farm-2").start(failed);
  await farm("farm-2").fail(failed, { error_message: "no", retry: false });
  for (const id of [queued, claimed, canceled, failed]) {
    const answer = await one.complete(id, { link_post: link });
    assert.deepEqual([answer.status, answer.body.code], [409, "bad_transition"]);
  }
});

withManager("[late complete] of a former holder counts: lease out, handed on, canceled, failed", async ({ farm, task, manager, clock }) => {
  const [leaseOut, handedOn, runsElsewhere, canceled, failed] = [await task(), await task(), await task(), await task(), await task()];
  const [one, two] = [farm("farm-1"), farm("farm-2")];
  for (const id of [leaseOut, handedOn, runsElsewhere, canceled, failed]) await one.start(id);
  await manager.cancelTask(canceled);
  await one.fail(failed, { error_message: "no answer", retry: false });
  clock.forwardMinutes(16);
  await two.start(runsElsewhere);
  assert.equal(
    (await two.pull("?limit=1000")).some(({ id }) => id === handedOn),
    true,
  );
  for (const id of [leaseOut, handedOn, runsElsewhere, canceled, failed]) {
    assert.equal((await one.complete(id, { link_post: link })).status, 200);
    const view = await manager.task(id);
    assert.deepEqual([view?.status, view?.linkPost, view?.errorMessage], ["completed", link, ""]);
  }
  assert.equal((await two.start(runsElsewhere)).body.code, "bad_transition");
  assert.equal((await two.fail(handedOn)).body.code, "bad_transition");
});
