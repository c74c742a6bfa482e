import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { postgresMissing } from "../support/postgres.ts";
import { givenPglite, givenPostgres } from "../support/store.ts";
import { aTask, givenWorld, type World } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";

async function given(t: TestContext): Promise<World> {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  return world;
}

const done = (world: World) => () => world.manager.effects.includes("account t1");

test("replies that are lost change nothing: each report is applied once", async (t) => {
  const world = await given(t);
  for (const path of [/start/, /complete/, /account/]) world.manager.fail({ method: "POST", path, loseReply: true });
  const { engine } = await world.farm();
  await passTime(world.clock, "all is delivered", async () => done(world)() && (await engine.freshStatus()).outbox.pending === 0);
  assert.deepEqual(
    world.manager.effects.filter((effect) => effect !== "account t1"),
    ["start t1", "complete t1"],
  );
  assert.equal(world.manager.seen.filter((request) => request.path.endsWith("/complete")).length, 2);
  assert.equal(world.site.history.length, 1);
});

test("a report that is refused for good is kept and shown, and the next one goes on", async (t) => {
  const world = await given(t);
  world.manager.fail({ path: /complete/, status: 409, body: { success: false, message: "bad_transition" } });
  const { engine } = await world.farm();
  await passTime(world.clock, "the account was told", done(world));
  assert.deepEqual(world.manager.effects, ["start t1", "account t1"]);
  assert.deepEqual((await engine.freshStatus()).outbox.refused, 1);
  const [row] = await engine.ledger.db.selectFrom("outbox").select(["kind", "why"]).where("state", "=", "refused").execute();
  assert.deepEqual(row, { kind: "complete", why: "the manager answers 409 (bad_transition)" });
});

test("an hour's outage: reports wait, in order, and arrive when the manager is back", async (t) => {
  const world = await given(t);
  const { engine } = await world.farm({
    script: (point) => {
      if (point === "feed") world.manager.down = true;
    },
  });
  await passTime(world.clock, "two reports wait", async () => (await engine.freshStatus()).outbox.pending === 2);
  await world.clock.advance(60 * 60_000);
  const status = await engine.freshStatus();
  assert.equal(status.outbox.pending, 2);
  assert.match(status.waits.join(), /the manager does not answer.*next pull in/);
  world.manager.down = false;
  await passTime(world.clock, "delivered", done(world), { limitMs: 10 * 60_000 });
  assert.deepEqual(world.manager.effects, ["start t1", "complete t1", "account t1"]);
});

test("a busy manager is left alone for as long as it asks", async (t) => {
  const world = await given(t);
  const began = world.clock.now();
  world.manager.fail({ method: "GET", path: /^\/links\?/, status: 429, headers: { "retry-after": "90" } });
  const { engine } = await world.farm();
  await passTime(world.clock, "the first pull", () => world.manager.seen.length === 1);
  await passTime(world.clock, "it says why it waits", () =>
    engine.status().waits.some((why) => /answers 429.*next pull in 8\d s/.test(why)),
  );
  await passTime(world.clock, "posted", () => world.site.history.length === 1);
  assert.ok(world.clock.now() - began >= 90_000);
});

test("a key that is refused stops the pulling and is said; reports are kept until it is good again", async (t) => {
  const world = await given(t);
  world.manager.fail({ path: /complete/, status: 401, body: { success: false, message: "revoked" } });
  const { engine } = await world.farm();
  await passTime(world.clock, "it is said", async () =>
    engine.status().waits.some((why) => /manager answers 401 \(revoked\).*Check API_KEY/.test(why)),
  );
  assert.deepEqual(world.manager.effects, ["start t1"]);
  const pulls = (): number => world.manager.seen.filter((request) => request.path.startsWith("/links?")).length;
  const before = pulls();
  await world.clock.advance(2 * 60_000);
  assert.equal(pulls(), before, "nothing is pulled with a refused key");
  await passTime(world.clock, "delivered", done(world), { limitMs: 10 * 60_000 });
});

test("reports of a farm that died are delivered by the next one", async (t) => {
  const world = await given(t);
  const dying = await world.farm({
    script: (point) => {
      if (point === "feed") world.manager.down = true;
    },
  });
  await passTime(world.clock, "two reports wait", async () => (await dying.engine.freshStatus()).outbox.pending === 2);
  dying.crash();
  world.manager.down = false;
  await world.farm();
  await passTime(world.clock, "delivered", done(world));
  assert.deepEqual(world.manager.effects, ["start t1", "complete t1", "account t1"]);
  assert.equal(world.site.history.length, 1);
});

for (const [what, answer] of Object.entries({
  "a page of whatever stands in between": { status: 200, body: "<html>Back in a minute.</html>" },
  "a success that says it is none": { status: 200, body: { success: false } },
})) {
  test(`${what} is no receipt: the report is sent again`, async (t) => {
    const world = await given(t);
    world.manager.fail({ path: /complete/, ...answer });
    const { engine } = await world.farm();
    await passTime(world.clock, "all is delivered", async () => done(world)() && (await engine.freshStatus()).outbox.pending === 0);
    assert.deepEqual(
      world.manager.effects.filter((effect) => effect !== "account t1"),
      ["start t1", "complete t1"],
    );
    assert.equal(world.manager.seen.filter((request) => request.path.endsWith("/complete")).length, 2);
  });
}

test("a farm that dies while it sends a report: another one sends it within 15 s", { skip: postgresMissing ?? false }, async (t) => {
  const { store } = await givenPostgres(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  world.manager.fail({ method: "POST", path: /start/, swallow: true });
  const dying = await world.farm();
  await passTime(world.clock, "it is on its way", () => world.manager.seen.some(({ path }) => path.endsWith("/start")));
  dying.crash();
  const diedAt = world.clock.now();
  await world.farm();
  await passTime(world.clock, "the other one reports", () => world.manager.effects.includes("start t1"));
  assert.ok(world.clock.now() - diedAt <= 15_000, `${world.clock.now() - diedAt} ms`);
});
