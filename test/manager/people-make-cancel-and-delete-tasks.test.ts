import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { UsageError } from "../../src/kit/config.ts";
import { dataOf, link, withManager } from "./support.ts";

withManager("[cancel] is seen on the next read, and never handed out again", async ({ farm, task, manager }) => {
  const [waiting, running] = [await task(), await task()];
  const one = farm("farm-1");
  await one.start(running);
  for (const id of [waiting, running]) {
    await manager.cancelTask(id);
    await manager.cancelTask(id);
    assert.equal(dataOf(await one.read(id)).status, "cancel");
  }
  assert.deepEqual(await one.pull("?limit=100"), []);
  await assert.rejects(manager.cancelTask(randomUUID()), /task not found/);
});

withManager("[cancel] of a completed task is refused: what is posted stays posted", async ({ farm, task, manager }) => {
  const id = await task();
  await farm("farm-1").start(id);
  await farm("farm-1").complete(id, { link_post: link });
  await assert.rejects(manager.cancelTask(id), /status does not allow/);
  assert.equal((await manager.task(id))?.status, "completed");
});

withManager("[deleted] a deleted task answers 404 to everything, and its history stays", async ({ farm, task, manager }) => {
  const id = await task();
  const one = farm("farm-1");
  await one.start(id);
  assert.equal(await manager.deleteTask(id), true);
  assert.equal(await manager.deleteTask(id), false);
  for (const answer of [
    await one.read(id),
    await one.start(id),
    await one.complete(id, { link_post: link }),
    await one.account(id, { cookie: "a=b" }),
    await one.fail(id),
  ]) {
    assert.deepEqual([answer.status, answer.body.message], [404, "task not found"]);
  }
  assert.equal(await manager.task(id), null);
  assert.deepEqual(
    (await manager.history({ taskId: id })).map(({ action, status }) => [action, status]),
    [
      ["start", 200],
      ["read", 404],
      ["start", 404],
      ["complete", 404],
      ["account", 404],
      ["fail", 404],
    ],
  );
});

withManager("[make] an account is known by group, site and lower(username or email), and takes what is new", async ({ manager, farm }) => {
  const make = async (account: Parameters<typeof manager.makeTask>[0]["account"]) =>
    manager.makeTask({ account, website: "studio.example.com", episodes: [{ title: "One" }] });
  const first = await make({ email: "Show@example.com", password: "demo-password", twofa: "JBSWY3DPEHPK3PXP" });
  const second = await make({ email: "show@EXAMPLE.com", password: "demo-changed" });
  assert.equal(second.accountId, first.accountId);
  assert.notEqual(second.taskId, first.taskId);
  const shown = dataOf(await farm("farm-1").read(first.taskId));
  assert.deepEqual([shown.password, shown.twofa], ["demo-changed", "JBSWY3DPEHPK3PXP"]);
  const elsewhere = await manager.makeTask({
    account: { email: "show@example.com" },
    website: "other.example.com",
    episodes: [{ title: "One" }],
  });
  assert.notEqual(elsewhere.accountId, first.accountId);
});

withManager("[make] the same request for the same account gives the same task, also at once", async ({ manager }) => {
  const input = {
    account: { email: "a@example.com" },
    website: "studio.example.com",
    episodes: [{ title: "One" }],
    requestId: randomUUID(),
  };
  const made = await Promise.all(Array.from({ length: 5 }, async () => manager.makeTask(input)));
  assert.equal(new Set(made.map(({ taskId }) => taskId)).size, 1);
  assert.deepEqual(made.map(({ created }) => created).sort(), [false, false, false, false, true]);
  assert.equal((await manager.tasks()).length, 1);
});

withManager("[make] bad input is refused with everything that is wrong, and leaves nothing", async ({ manager }) => {
  const id = randomUUID();
  await assert.rejects(
    manager.makeTask({ account: { password: "demo-password" }, website: "not a site", episodes: [], target: 0 }),
    (error: Error) =>
      error instanceof UsageError &&
      ["account: needs", "website: is not", "episodes:", "target:"].every((part) => error.message.includes(part)),
  );
  const good = { account: { email: "a@example.com" }, website: "studio.example.com" };
  await assert.rejects(
    manager.makeTask({
      ...good,
      episodes: [
        { id, title: "1" },
        { id, title: "2" },
      ],
    }),
    /two episodes with one id/,
  );
  await assert.rejects(manager.makeTask({ ...good, episodes: [{ title: "a\0b" }] }), /NUL/);
  await assert.rejects(manager.makeTask({ ...good, episodes: [{ title: "1" }], groupId: id }), /no group/);
  assert.deepEqual(await manager.tasks(), []);
});

withManager("[make] an id that is no UUID names nothing", async ({ manager }) => {
  assert.deepEqual(
    [await manager.task("x"), await manager.deleteTask("x"), await manager.keys.revoke("x"), await manager.history({ taskId: "x" })],
    [null, false, false, []],
  );
  await assert.rejects(manager.cancelTask("x"), /task not found/);
});
