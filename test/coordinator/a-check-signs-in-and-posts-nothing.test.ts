import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { aCheck, answered, answerOf, order, signIn, waitsForWork } from "../support/given-checks.ts";
import { aTask, givenWorld, type World } from "../support/given-engine.ts";
import { eachBackend, givenPglite } from "../support/store.ts";
import { passTime } from "../support/virtual-clock.ts";

const inBigSteps = { stepMs: 5000 };
const posts = (world: World): string[] => world.manager.seen.filter(({ method }) => method === "POST").map(({ path }) => path);

eachBackend("a sign-in that works is told once; nothing is posted and no task of the manager's is touched", async (t, { store }) => {
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  order(world, aCheck("c1", { twofa: "JBSWY3DPEHPK3PXP" }));
  const { engine, pool } = await world.farm({ script: signIn(submits, () => "in") });
  waitsForWork(world, engine);
  const heard: string[] = [];
  engine.events.on("check", ({ state, account }) => heard.push(`${account} ${state}`));
  await passTime(world.clock, "it is reported", answered(world, "c1"));
  assert.deepEqual(answerOf(world, "c1"), { ok: true, why: "" });
  assert.deepEqual([submits, world.site.history, posts(world)], [["check:c1"], [], ["/checks/c1"]]);
  const [{ assignment } = { assignment: null }] = pool.assignments;
  assert.deepEqual([assignment?.kind, assignment?.credentials.twofa, assignment?.session], ["check", "JBSWY3DPEHPK3PXP", null]);
  assert.deepEqual(heard, ["c1@example.com running", "c1@example.com completed"]);
  const asked = world.manager.seen.find(({ path }) => path.startsWith("/checks?"));
  assert.equal(asked?.headers["x-worker-sites"], "studio.example.com");
  const row = await engine.ledger.task("check:c1");
  assert.ok(row && !JSON.stringify(row.data).includes("demo-password"), "the password stands sealed");
  const status = await engine.freshStatus();
  assert.deepEqual([status.tasks, status.checks], [{}, { running: 0, waiting: 0 }]);
});

test("a password that the site refuses is told with a sentence, and not typed again for the next check", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  order(world, aCheck("c1"));
  const { engine } = await world.farm({ script: signIn(submits, () => new Failure("account.refused", "wrong password: demo-password")) });
  waitsForWork(world, engine);
  await passTime(world.clock, "it is reported", answered(world, "c1"));
  assert.match(answerOf(world, "c1")?.why ?? "", /^wrong password: \[secret\]\. The site refused the account's name or password\. Correct/);
  order(world, aCheck("c2", { account_id: "account-c1", email: "c1@example.com" }));
  await passTime(world.clock, "the second, too", answered(world, "c2"));
  assert.match(answerOf(world, "c2")?.why ?? "", /refused these credentials before/);
  assert.deepEqual([answerOf(world, "c1")?.ok, answerOf(world, "c2")?.ok, submits.length], [false, false, 1]);
});

test("an account whose tries are used up is left alone; the check waits, and is done when it may", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  order(world, aCheck("c1"));
  const unclear = new Failure("site.changed", "no word on how it went");
  const script = signIn(submits, (_, nth) => (nth === 1 ? unclear : "in"));
  const farm = async () => {
    const one = await world.farm({ script });
    waitsForWork(world, one.engine);
    return one;
  };
  const { engine, crash } = await farm();
  const says = (why: RegExp) => async (): Promise<boolean> => (await engine.freshStatus()).waits.some((one) => why.test(one));
  await passTime(world.clock, "the site's trouble is shown", says(/^the check of c1@example\.com at scripted: no word.*Next try at/));
  await passTime(world.clock, "then the budget", says(/^the check of c1@example\.com at scripted: .*is left for posting.*Next try on/));
  assert.deepEqual([engine.status().checks, submits.length, posts(world)], [{ running: 0, waiting: 1 }, 1, []]);
  crash();
  await world.clock.advance(26 * 3600_000);
  await farm();
  await passTime(world.clock, "it is done", answered(world, "c1"));
  assert.deepEqual([answerOf(world, "c1"), submits.length], [{ ok: true, why: "" }, 2]);
});

test("a live session is proof enough and costs no try, unless the account's password is another one by now", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  const typed = signIn(submits, () => "in");
  const { engine, pool } = await world.farm({
    // As a worker does: what was handed to it is shown to the site first.
    script: async (point, at) => (pool.assignments.at(-1)?.assignment.session === null ? typed(point, at) : undefined),
  });
  waitsForWork(world, engine);
  const account = { account_id: "one", email: "one@example.com" };
  for (const [id, over, tries, session] of [
    ["c1", {}, 1, false],
    ["c2", {}, 1, true],
    ["c3", { password: "another one", twofa: "JBSWY3DPEHPK3PXP", cookie: "session=old" }, 2, false],
    ["c4", { password: "another one", twofa: "JBSWY3DPEHPK3PXP" }, 2, true],
  ] as const) {
    order(world, aCheck(id, { ...account, ...over }));
    await passTime(world.clock, `${id} is reported`, answered(world, id));
    const { assignment } = pool.assignments.at(-1) ?? {};
    assert.deepEqual(
      [answerOf(world, id)?.ok, submits.length, assignment?.session !== null, assignment?.credentials.cookie],
      [true, tries, session, ""],
      id,
    );
  }
});

test("a site that asks for a person is the answer, and stops the account for its tasks as well until somebody was there", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  const account = { account_id: "one", email: "one@example.com" };
  order(world, aCheck("c1", account));
  const typed = signIn(submits, () => new Failure("account.challenged", "captcha"));
  const { engine, pool } = await world.farm({
    script: async (point, at) => (pool.assignments.at(-1)?.assignment.session === null ? typed(point, at) : undefined),
  });
  waitsForWork(world, engine);
  await passTime(world.clock, "it is reported", answered(world, "c1"));
  assert.match(answerOf(world, "c1")?.why ?? "", /^captcha\. The site asks for proof that a person is there/);
  const [person, ...others] = (await engine.freshStatus()).needsPerson;
  assert.deepEqual([person?.taskId, person?.account, person?.handOver, others], ["check:c1", "one@example.com", true, []]);

  world.manager.add(aTask("t1", account, 1));
  order(world, aCheck("c2", account));
  await passTime(world.clock, "another check", answered(world, "c2"));
  await passTime(world.clock, "the task waits", async () => (await engine.freshStatus()).tasks.needs_person === 1);
  assert.deepEqual([answerOf(world, "c2")?.ok, submits.length, world.site.history.length], [false, 1, 0]);

  assert.equal(await engine.takeBack({ task: "check:c1", state: { cookies: [], origins: [] } }), null);
  await passTime(world.clock, "the task goes on", () => world.manager.tasks.get("t1")?.status === "completed");
});

test("a site that is away is no answer: the check waits, minutes first, says why, and is done when it is back", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const asked: number[] = [];
  order(world, aCheck("c1"));
  const { engine } = await world.farm({
    script(point) {
      if (point !== "sign-in") return;
      asked.push(world.clock.now());
      if (asked.length <= 3) throw new Failure("site.unreachable", "connection refused");
    },
  });
  await passTime(world.clock, "it says why", async () =>
    (await engine.freshStatus()).waits.some((one) =>
      /^the check of .*connection refused\. The site does not answer.*Next try at/.test(one),
    ),
  );
  await passTime(world.clock, "it is reported", answered(world, "c1"), { stepMs: 1000 });
  const pauses = asked.slice(1).map((at, index) => (at - (asked[index] ?? 0)) / 1000);
  assert.deepEqual([answerOf(world, "c1")?.ok, posts(world).length, pauses.length], [true, 1, 3]);
  for (const [index, least] of [48, 96, 192].entries()) assert.ok((pauses[index] ?? 0) >= least, `${pauses.join(", ")} s`);
});

test("a challenge that a changed password met is told, and leaves the session and the account's posting alone", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const submits: string[] = [];
  const account = { account_id: "one", email: "one@example.com" };
  const typed = signIn(submits, (_, nth) => (nth === 1 ? "in" : new Failure("account.challenged", "captcha")));
  const { engine, pool } = await world.farm({
    script: async (point, at) => {
      if (pool.assignments.at(-1)?.assignment.session !== null) return;
      try {
        return await typed(point, at);
      } catch (error) {
        // As a worker does.
        await at.calls.saveSession({ cookies: [], origins: [] }, "session=stopped", {
          kind: "stopped",
          page: "https://studio.example.com/captcha",
        });
        throw error;
      }
    },
  });
  waitsForWork(world, engine);
  order(world, aCheck("c1", account));
  await passTime(world.clock, "the first works", answered(world, "c1"));
  order(world, aCheck("c2", { ...account, password: "another one" }));
  await passTime(world.clock, "the second is told", answered(world, "c2"));
  assert.match(answerOf(world, "c2")?.why ?? "", /^captcha\. The site asks for proof that a person is there/);
  const { sessions } = engine.ledger;
  assert.deepEqual(
    [await sessions.cookie("scripted:one"), await sessions.stoppedAt("scripted:one"), (await engine.freshStatus()).needsPerson],
    ["session=demo", null, []],
  );
  world.manager.add(aTask("t1", account, 1));
  await passTime(world.clock, "its task is posted", () => world.manager.tasks.get("t1")?.status === "completed");
  assert.equal(submits.length, 2);
});

for (const at of ["typed", "reported"] as const) {
  eachBackend(`a farm that dies when it has ${at} does the rest once more and no more than the budget allows`, async (t, { store }) => {
    const world = await givenWorld(t, store);
    const submits: string[] = [];
    order(world, aCheck("c1"));
    if (at === "reported") world.manager.fail({ method: "POST", path: /checks/, swallow: true });
    const script = signIn(submits, (_, nth) => (at === "typed" && nth === 1 ? "hang" : "in"));
    const dying = await world.farm({ script });
    let isDead = false;
    waitsForWork(world, dying.engine, () => isDead || (at === "typed" && submits.length === 1));
    const reached = (): boolean => (at === "typed" ? submits.length === 1 : posts(world).length === 1);
    await passTime(world.clock, `it has ${at}`, reached);
    dying.crash();
    isDead = true;
    const { engine } = await world.farm({ script });
    waitsForWork(world, engine);
    await passTime(world.clock, "it is reported", answered(world, "c1"), { stepMs: 1000 });
    assert.deepEqual([answerOf(world, "c1")?.ok, submits.length], [true, at === "typed" ? 2 : 1]);
    await passTime(world.clock, "all is delivered", async () => (await engine.freshStatus()).outbox.pending === 0);
    assert.deepEqual(world.manager.effects, ["check c1 works"]);
  });
}

test("a lost answer to the report is asked for again, with the same word", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  order(world, aCheck("c1"));
  world.manager.fail({ method: "POST", path: /checks/, loseReply: true });
  const { engine } = await world.farm();
  await passTime(world.clock, "it is told twice", () => posts(world).length === 2);
  await passTime(world.clock, "all is delivered", async () => (await engine.freshStatus()).outbox.pending === 0);
  const bodies = world.manager.seen.filter(({ method }) => method === "POST").map(({ body }) => body);
  assert.deepEqual(bodies, [{ ok: true }, { ok: true }]);
});

test("a password that is changed while the old one is tried is tried itself, and only that is told", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const [submits, tried]: [string[], string[]] = [[], []];
  const old = Promise.withResolvers<Failure>();
  order(world, aCheck("c1"));
  let isOver = false;
  const { engine, pool } = await world.farm({
    script: signIn(submits, (_, nth) => {
      tried.push(pool.assignments.at(-1)?.assignment.credentials.password ?? "");
      return nth === 1 ? old.promise : "in";
    }),
  });
  waitsForWork(world, engine, () => submits.length === 1 && !isOver);
  await passTime(world.clock, "the old one is typed", () => submits.length === 1);
  world.manager.checks?.set("c1", aCheck("c1", { password: "a new one" }));
  const pulls = world.manager.seen.filter(({ path }) => path.startsWith("/checks?")).length;
  await passTime(
    world.clock,
    "the farm has asked again",
    () => world.manager.seen.filter(({ path }) => path.startsWith("/checks?")).length > pulls,
    inBigSteps,
  );
  await world.clock.breathe();
  isOver = true;
  old.resolve(new Failure("account.refused", "wrong password"));
  await passTime(world.clock, "it is reported", answered(world, "c1"), { stepMs: 1000 });
  assert.deepEqual([tried, answerOf(world, "c1"), posts(world).length], [["demo-password", "a new one"], { ok: true, why: "" }, 1]);
});
