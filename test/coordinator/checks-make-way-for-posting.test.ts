import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { workerTask } from "../../src/contract/worker-api.ts";
import type { Engine } from "../../src/coordinator/engine.ts";
import { aCheck, answered, answerOf, order, signIn, waitsForWork } from "../support/given-checks.ts";
import { aTask, givenWorld, type World } from "../support/given-engine.ts";
import { card, type Act } from "../support/scripted-worker.ts";
import { eachBackend, givenPglite } from "../support/store.ts";
import { passTime } from "../support/virtual-clock.ts";

const asked = (world: World): number => world.manager.seen.filter(({ path }) => path.startsWith("/checks?")).length;
const wide = { cards: [{ ...card, concurrency: 8 }] };
const MINUTE_MS = 60_000;

test("a manager that knows no checks is asked every ten minutes at most, and nobody hears of it", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  const { engine } = await world.farm({ over: { pollMs: 20_000 } });
  const until = world.clock.now() + 35 * MINUTE_MS;
  await passTime(world.clock, "35 minutes", () => world.clock.now() >= until, { stepMs: 2000 });
  assert.equal(asked(world), 4);
  assert.equal(world.manager.tasks.get("t1")?.status, "completed");
  assert.deepEqual(
    engine.status().waits.filter((why) => !why.startsWith("nothing new")),
    [],
  );
});

test("checks are asked for when nothing is left to post, take a quarter of the places, and all come to their end", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const [tasks, checks] = [Array.from({ length: 12 }, (_, n) => `t${n}`), Array.from({ length: 6 }, (_, n) => `c${n}`)];
  for (const id of tasks) world.manager.add(aTask(id, {}, 1));
  order(world, ...checks.map((id) => aCheck(id)));
  let [most, early] = [0, 0];
  const two = Promise.withResolvers<void>();
  const { pool } = await world.farm({
    over: { ...wide, concurrency: 8 },
    async script(point, { taskId }) {
      if (point !== "sign-in") return;
      const running = [...pool.running].filter((id) => id.startsWith("check:")).length;
      most = Math.max(most, running);
      if (running > 0 && tasks.some((id) => world.manager.tasks.get(id)?.status === "queued")) early += 1;
      if (running === 2) two.resolve();
      if (taskId.startsWith("check:")) await two.promise;
    },
  });
  await passTime(world.clock, "all checks are reported", () => checks.every((id) => answerOf(world, id)?.ok));
  // What was posted last may be reported after them.
  await passTime(world.clock, "all tasks are", () => tasks.every((id) => world.manager.tasks.get(id)?.status === "completed"));
  assert.deepEqual([most, early], [2, 0]);
});

eachBackend("a check that is there already lets all work go first that came after it, its own account's as well", async (t, { store }) => {
  const world = await givenWorld(t, store);
  const began: string[] = [];
  const check = aCheck("c1", { account_id: "account-t1" });
  order(world, check);
  const { engine } = await world.farm({
    start: false,
    over: { concurrency: 1 },
    script: (point, { taskId }) => void (point === "begin" && began.push(taskId)),
  });
  const source = `manager:${world.manager.url}/api/v1/podcast`;
  const site = { card, host: "studio.example.com", origin: "https://studio.example.com" };
  await engine.ledger.admitCheck(workerTask.parse({ ...check, id: "check:c1", kind: "check", status: "queued" }), site, source);
  for (const id of ["t1", "t2", "t3"]) {
    world.manager.add(aTask(id, {}, 1));
    await engine.ledger.admit(workerTask.parse(aTask(id, {}, 1)), site, source);
    await world.queue.send({ id, accountKey: `scripted:account-${id}` });
  }
  await engine.start();
  await passTime(world.clock, "all has ended", answered(world, "c1"));
  assert.deepEqual([began.length, began.at(-1), world.site.history.length], [4, "check:c1", 3]);
});

eachBackend("an account's check and its task never run at the same time", async (t, { store }) => {
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  const account = { account_id: "one", email: "one@example.com" };
  const running: string[][] = [];
  world.manager.add(aTask("t1", account, 2));
  const typed = signIn(submits, () => "in");
  const { engine, pool } = await world.farm({
    script: async (point, at) => {
      running.push([...pool.running]);
      return pool.assignments.at(-1)?.assignment.session === null ? typed(point, at) : undefined;
    },
  });
  waitsForWork(world, engine);
  order(world, aCheck("c1", account), aCheck("c2", { ...account, account_id: "two" }));
  await passTime(
    world.clock,
    "all has ended",
    () => world.manager.tasks.get("t1")?.status === "completed" && answerOf(world, "c1")?.ok === true,
  );
  await passTime(world.clock, "the other account's, too", answered(world, "c2"), { stepMs: 1000 });
  assert.ok(
    running.every((ids) => !(ids.includes("t1") && ids.includes("check:c1"))),
    "one after the other",
  );
  assert.deepEqual([submits.length, world.site.history.length], [2, 2], "each of the two accounts has signed in once");
});

test("a check that has to wait stays ours, and is given up when the manager has taken it away", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  const { engine } = await world.farm({
    over: { concurrency: 1 },
    script: async (point, at) => (at.taskId === "t1" ? "hang" : signIn(submits, () => "in")(point, at)),
  });
  waitsForWork(world, engine, () => world.manager.effects.includes("start t1"));
  const unclear = { account_key: "scripted:account-c1", site: "scripted", version: "v", made_by: null, verdict: "unclear" as const };
  const at = new Date(world.clock.now() - MINUTE_MS);
  await engine.ledger.db
    .insertInto("credential_submits")
    .values([1, 2].map(() => ({ ...unclear, at })))
    .execute();
  order(world, aCheck("c1"));
  await passTime(world.clock, "it waits for its turn", async () => (await engine.freshStatus()).checks.waiting === 1 && isLate(engine));
  world.manager.add(aTask("t1", {}, 1));
  await passTime(world.clock, "the only place is taken", () => engine.status().running.length === 1);
  const [start, before] = [world.clock.now(), asked(world)];
  await passTime(world.clock, "half an hour", () => world.clock.now() >= start + 30 * MINUTE_MS, { stepMs: 5000 });
  const times = asked(world) - before;
  assert.ok(times >= 5 && times <= 7, `asked for ${times} times`);
  world.manager.checks?.delete("c1");
  const isGone = async (): Promise<boolean> => (await engine.ledger.task("check:c1"))?.state === "canceled";
  await passTime(world.clock, "it is let go", isGone, { stepMs: 5000, limitMs: 15 * MINUTE_MS });
  assert.deepEqual([submits, world.manager.effects], [[], ["start t1"]]);
});

const isLate = (engine: Engine): boolean => engine.status().waits.some((why) => why.startsWith("the check of "));

test("a site's places go to what is to be posted there, also when a check asks at the same moment", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const began: string[] = [];
  const free = Promise.withResolvers<void>();
  const { engine } = await world.farm({
    start: false,
    over: { cards: [{ ...card, concurrency: 1 }], concurrency: 8 },
    async script(point, { taskId }) {
      if (point !== "begin") return;
      began.push(taskId);
      if (began.length === 1) await free.promise;
    },
  });
  const source = `manager:${world.manager.url}/api/v1/podcast`;
  const site = { card, host: "studio.example.com", origin: "https://studio.example.com" };
  const checks = ["c1", "c2", "c3"].map((id) => aCheck(id));
  order(world, ...checks);
  for (const check of checks)
    await engine.ledger.admitCheck(
      workerTask.parse({ ...check, id: `check:${String(check["id"])}`, kind: "check", status: "queued" }),
      site,
      source,
    );
  for (const id of ["t1", "t2", "t3"]) world.manager.add(aTask(id, {}, 1));
  await engine.start();
  const says = (): boolean => engine.status().waits.some((why) => why.includes("what is to be posted at scripted goes first"));
  await passTime(world.clock, "a check says why it waits", async () => (await engine.freshStatus(), says()));
  free.resolve();
  await passTime(world.clock, "all has ended", () => checks.every(({ id }) => answerOf(world, String(id)) !== null));
  const last = began.findLastIndex((id) => id.startsWith("t"));
  assert.ok(
    began.slice(1, last).every((id) => id.startsWith("t")),
    began.join(),
  );
  assert.equal(world.site.history.length, 3);
});

test("a site that pauses does not make a farm claim all the checks that there are", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const { engine } = await world.farm({ over: { concurrency: 4 }, script: signIn([], () => "in") });
  waitsForWork(world, engine);
  const at = new Date(world.clock.now());
  const refused = { site: "scripted", version: "v", made_by: null, verdict: "refused" as const, at };
  await engine.ledger.db
    .insertInto("credential_submits")
    .values(["a", "b", "c"].map((one) => ({ ...refused, account_key: one })))
    .execute();
  order(world, ...Array.from({ length: 20 }, (_, n) => aCheck(`c${n}`)));
  const held = async (): Promise<number> => (await engine.freshStatus()).checks.waiting;
  await passTime(world.clock, "the share is full", async () => (await held()) >= 8);
  const until = world.clock.now() + 2 * MINUTE_MS;
  await passTime(world.clock, "two minutes", () => world.clock.now() >= until, { stepMs: 2000 });
  assert.equal(await held(), 8);
});

test("a manager that hangs over its checks does not hold up what is to be posted, nor the farm's end", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.fail({ method: "GET", path: /checks/, swallow: true });
  const { engine } = await world.farm();
  await passTime(world.clock, "it is asked", () => asked(world) === 1);
  world.manager.add(aTask("t1", {}, 1));
  const began = performance.now();
  await passTime(world.clock, "the task is posted", () => world.manager.tasks.get("t1")?.status === "completed");
  let isOver = false;
  const stopped = engine.stop(10_000).then(() => (isOver = true));
  await passTime(world.clock, "it ends", () => isOver);
  await stopped;
  assert.deepEqual([asked(world), performance.now() - began < 25_000], [1, true]);
});

eachBackend("what is left in the queue of a check that has another account by now stops nobody's posting", async (t, { store }) => {
  const world = await givenWorld(t, store);
  const began: string[] = [];
  const check = aCheck("c1", { account_id: "account-t1" });
  order(world, check);
  world.manager.add(aTask("t1", {}, 1));
  const posting = Promise.withResolvers<void>();
  const { engine } = await world.farm({
    start: false,
    over: { ...wide, concurrency: 8 },
    async script(point, { taskId }) {
      if (point !== "begin") return;
      began.push(taskId);
      if (taskId === "t1") await posting.promise;
    },
  });
  const source = `manager:${world.manager.url}/api/v1/podcast`;
  const site = { card, host: "studio.example.com", origin: "https://studio.example.com" };
  await engine.start();
  await passTime(world.clock, "it posts", () => began.includes("t1"));
  await engine.ledger.admitCheck(workerTask.parse({ ...check, id: "check:c1", kind: "check", status: "queued" }), site, source);
  await world.queue.send({ id: "check:c1", accountKey: "scripted:account-of-before" });
  const later = world.clock.now() + 10_000;
  await passTime(world.clock, "the farm has looked at it", () => world.clock.now() >= later);
  posting.resolve();
  await passTime(world.clock, "all has ended", answered(world, "c1"));
  assert.deepEqual([began, world.site.history.length], [["t1", "check:c1"], 1]);
});

test("a site that is down for hours does not keep the checks of another site waiting", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const other = { ...card, site: "other", hosts: ["other.example.com"] };
  const { engine } = await world.farm({
    over: { cards: [card, other], concurrency: 4 },
    script: signIn([], (id) => (id.startsWith("check:down") ? new Failure("site.unreachable", "no route") : "in")),
  });
  waitsForWork(world, engine);
  order(world, ...Array.from({ length: 20 }, (_, n) => aCheck(`down${n}`)), aCheck("up", { domain: "other.example.com" }));
  await passTime(world.clock, "the healthy site's check is answered", answered(world, "up"), { limitMs: 10 * MINUTE_MS });
  assert.equal(answerOf(world, "up")?.ok, true);
});

eachBackend("a check signs in only while it is surely ours: a farm that stood still asks first", async (t, { store }) => {
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  const first = await world.farm({ over: { concurrency: 1 }, script: async (): Promise<Act> => "hang" });
  world.manager.add(aTask("t1", {}, 1));
  await passTime(world.clock, "the only place is taken", () => first.engine.status().running.length === 1);
  const source = `manager:${world.manager.url}/api/v1/podcast`;
  const site = { card, host: "studio.example.com", origin: "https://studio.example.com" };
  for (const id of ["gone", "ours"])
    await first.engine.ledger.admitCheck(
      workerTask.parse({ ...aCheck(id), id: `check:${id}`, kind: "check", status: "queued" }),
      site,
      source,
    );
  first.crash();
  world.manager.tasks.delete("t1");
  const until = world.clock.now() + 60 * MINUTE_MS;
  await passTime(world.clock, "an hour", () => world.clock.now() >= until, { stepMs: 30_000, limitMs: 2 * 60 * MINUTE_MS });
  // Another farm has answered the one; the other is still wanted.
  order(world, aCheck("ours"));
  world.manager.fail({ method: "GET", path: /checks/, status: 503, times: 3 });
  const { engine } = await world.farm({ over: { concurrency: 2 }, script: signIn(submits, () => "in") });
  waitsForWork(world, engine);
  await passTime(world.clock, "what is ours is answered", answered(world, "ours"), { stepMs: 1000, limitMs: 20 * MINUTE_MS });
  const isGone = async (): Promise<boolean> => (await engine.ledger.task("check:gone"))?.state === "canceled";
  await passTime(world.clock, "the other is let go", isGone, { stepMs: 5000, limitMs: 20 * MINUTE_MS });
  assert.deepEqual(
    submits.filter((id) => id.startsWith("check:")),
    ["check:ours"],
  );
});
