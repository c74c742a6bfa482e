import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { openQueue, type Job, type Queue } from "../../src/store/queue.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { eachBareBackend, silentLog } from "../support/store.ts";

async function queueOn(t: TestContext, store: Store): Promise<Queue> {
  const queue = await openQueue(store, silentLog);
  t.after(async () => queue.close());
  return queue;
}

const idsOf = (jobs: Job[]): string[] => jobs.map((job) => job.id);

eachBareBackend("a job goes out once, until it is done", async (t, { store }) => {
  const queue = await queueOn(t, store);
  await queue.send({ id: "t1", accountKey: "site:1" });
  assert.deepEqual(await queue.pending(), ["t1"]);
  const [job] = await queue.take(5);
  assert.ok(job);
  assert.deepEqual({ id: job.id, accountKey: job.accountKey, deaths: job.deaths }, { id: "t1", accountKey: "site:1", deaths: 0 });
  assert.deepEqual(await queue.take(5), []);
  assert.equal(await queue.touch(job), true);
  assert.equal(await queue.done(job), true);
  assert.equal(await queue.done(job), false);
  assert.equal(await queue.touch(job), false);
  assert.equal(await queue.giveBack(job, { afterMs: 0 }), false);
  assert.deepEqual(await queue.take(5), []);
  assert.deepEqual(await queue.pending(), []);
});

eachBareBackend("no account is in two hands, and a busy account at the head does not hold up the others", async (t, { store }) => {
  const queue = await queueOn(t, store);
  for (const n of [1, 2, 3]) await queue.send({ id: `a${n}`, accountKey: "site:a", priority: 100 });
  await queue.send({ id: "b1", accountKey: "site:b" });
  const [first] = await queue.take(1);
  assert.equal(first?.id, "a1");
  assert.deepEqual(idsOf(await queue.take(10)), ["b1"]);
  assert.deepEqual(await queue.take(10), []);
  await queue.done(first);
  assert.deepEqual(idsOf(await queue.take(10)), ["a2"]);
});

eachBareBackend("higher priority first, then the oldest; within an account the oldest", async (t, { store }) => {
  const queue = await queueOn(t, store);
  await queue.send({ id: "low", accountKey: "site:1", priority: -1 });
  await queue.send({ id: "old", accountKey: "site:2" });
  await queue.send({ id: "new", accountKey: "site:3" });
  await queue.send({ id: "high", accountKey: "site:4", priority: 5 });
  await queue.send({ id: "high, later", accountKey: "site:2", priority: 9 });
  assert.deepEqual(idsOf(await queue.take(2)), ["high", "old"]);
  assert.deepEqual(idsOf(await queue.take(9)), ["new", "low"]);
});

eachBareBackend("a job sent in a transaction that is rolled back was never sent", async (t, { store }) => {
  const queue = await queueOn(t, store);
  const db = store.part("farm");
  const sending = db.transaction().execute(async (trx) => {
    await queue.send({ id: "never", accountKey: "site:1" }, { trx });
    throw new Error("no");
  });
  await assert.rejects(sending, /no/);
  assert.deepEqual(await queue.take(5), []);
  await db.transaction().execute(async (trx) => queue.send({ id: "sent", accountKey: "site:1" }, { trx }));
  const [job] = await queue.take(5);
  assert.equal(job?.id, "sent");

  const ending = db.transaction().execute(async (trx) => {
    assert.equal(await queue.done(job, { trx }), true);
    throw new Error("no");
  });
  await assert.rejects(ending, /no/);
  assert.equal(await queue.touch(job), true);
  await db.transaction().execute(async (trx) => queue.giveBack(job, { afterMs: 0 }, { trx }));
  assert.deepEqual(idsOf(await queue.take(5)), ["sent"]);
});

eachBareBackend("a job that is given back comes again after the pause, behind the account's others", async (t, { store }) => {
  const queue = await queueOn(t, store);
  await queue.send({ id: "a1", accountKey: "site:a", priority: 3 });
  const [job] = await queue.take(1);
  assert.ok(job);
  await queue.send({ id: "a2", accountKey: "site:a" });
  assert.equal(await queue.giveBack(job, { afterMs: 600 }), true);
  const [other] = await queue.take(5);
  assert.equal(other?.id, "a2");
  await queue.done(other);
  assert.deepEqual(await queue.take(5), []);
  const again = await comes(queue);
  assert.deepEqual({ id: again.id, priority: again.priority, deaths: again.deaths }, { id: "a1", priority: 3, deaths: 0 });
});

eachBareBackend("not before its time", async (t, { store }) => {
  const queue = await queueOn(t, store);
  await queue.send({ id: "later", accountKey: "site:1", startAfter: new Date(Date.now() + 3_600_000) });
  await queue.send({ id: "soon", accountKey: "site:1" });
  assert.deepEqual(idsOf(await queue.take(5)), ["soon"]);
  assert.deepEqual((await queue.pending()).sort(), ["later", "soon"]);
});

eachBareBackend("many takers at once: each job once, an account in one hand", async (t, { store, databaseUrl, dataDir }) => {
  const queues = [await queueOn(t, store)];
  if (databaseUrl) {
    const other = await openStore({ dataDir, databaseUrl, log: silentLog });
    queues.push(await queueOn(t, other));
    t.after(async () => other.close());
  }
  const sent = Array.from({ length: 40 }, (_, i) => `t${i}`);
  for (const [i, id] of sent.entries()) await queues[0]?.send({ id, accountKey: `site:${i % 7}` });
  const done: string[] = [];
  const held = new Set<string>();
  const deadline = performance.now() + 20_000;
  const taker = async (queue: Queue): Promise<void> => {
    while (done.length < sent.length && performance.now() < deadline) {
      const jobs = await queue.take(3);
      for (const { accountKey } of jobs) {
        assert.ok(!held.has(accountKey), `${accountKey} is in two hands`);
        held.add(accountKey);
      }
      for (const job of jobs) {
        held.delete(job.accountKey);
        assert.equal(await queue.done(job), true);
        done.push(job.id);
      }
    }
  };
  await Promise.all([...queues, ...queues].map(taker));
  assert.deepEqual(done.sort(), sent.sort());
});

eachBareBackend("closing is quick", async (_t, { store }) => {
  const queue = await openQueue(store, silentLog);
  await queue.send({ id: "t1", accountKey: "site:1" });
  await queue.take(1);
  const startedAt = performance.now();
  await queue.close();
  assert.ok(performance.now() - startedAt < 10_000);
});

async function comes(queue: Queue): Promise<Job> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const [job] = await queue.take(1);
    if (job) return job;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("no job came within 10 s");
}
