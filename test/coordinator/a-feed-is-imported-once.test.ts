import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createFileSource } from "../../src/coordinator/file-source.ts";
import { markerOf } from "../../src/coordinator/marker.ts";
import { aTask, givenWorld, type World } from "../support/given-engine.ts";
import { card, type Act, type Script } from "../support/scripted-worker.ts";
import { eachBackend, givenPglite } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { passTime } from "../support/virtual-clock.ts";

const feed = "https://anchor.example/s/1a2b/podcast/rss";
const importing = { cards: [{ ...card, imports: true }] };
const inBigSteps = { stepMs: 2000 };

/** As the manager hands it out: no episodes, a feed, and the feed's owner's mailbox. */
function anImport(id: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  const { data_content: _none, ...task } = aTask(id);
  return {
    ...task,
    id: `account-${id}`,
    account_id: `account-${id}`,
    link_id: id,
    kind: "secondary",
    link_rss: feed,
    feed_email: "owner@example.com",
    feed_app_password: "demo mail word",
    ...over,
  };
}

/** The manager answers to the task's own id, under which the farm knows it. */
function hand(world: World, task: Record<string, unknown>): void {
  world.manager.tasks.set(String(task["link_id"] ?? task["id"]), task as never);
}

const ended = (world: World, id: string) => () => world.manager.tasks.get(id)?.status === "completed";
const pulls = (world: World): string[] =>
  world.manager.seen.filter(({ method, path }) => method === "GET" && path.startsWith("/links?")).map(({ path }) => path);

test("a feed is imported, its public page is reported, and no feed link is", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  hand(world, anImport("s1"));
  const { pool, engine } = await world.farm({ over: importing });
  await passTime(world.clock, "completed", ended(world, "s1"));
  assert.deepEqual(
    world.site.history.map(({ marker }) => marker),
    [markerOf("scripted:account-s1", feed)],
  );
  const [{ assignment } = { assignment: null }] = pool.assignments;
  assert.deepEqual(
    [assignment?.kind, assignment?.feedMailbox?.email, assignment?.feedMailbox?.appPassword],
    ["import", "owner@example.com", "demo mail word"],
  );
  const complete = world.manager.seen.find(({ path }) => path === "/links/s1/complete");
  const link = world.site.history[0]?.link;
  assert.deepEqual(complete?.body, { link_post: link, note: JSON.stringify({ [feed]: link }) });
  assert.ok(!world.manager.seen.some(({ body }) => "link_rss" in body), "the secondary's own feed is nobody's business");
  const row = await engine.ledger.task("s1");
  assert.ok(!JSON.stringify(row?.data).includes("demo mail word"), "the owner's mailbox stands sealed");
});

for (const point of ["before-arm", "before-gate", "before-proof"] as const) {
  eachBackend(`a farm that dies ${point.replace("-", " the ")} of an import imports once all the same`, async (t, { store }) => {
    const world = await givenWorld(t, store);
    hand(world, anImport("s1"));
    const key = { accountKey: "scripted:account-s1", episodeId: feed };
    const dying = await world.farm({ over: importing, script: (at): Act => (at === point ? "hang" : undefined) });
    const held = point === "before-arm" ? "ready" : "armed";
    await passTime(
      world.clock,
      `the worker is ${point}`,
      async () =>
        (await dying.engine.ledger.episodes.get(key))?.state === held && (point !== "before-proof" || world.site.history.length === 1),
    );
    dying.crash();
    await world.farm({ over: importing });
    await passTime(world.clock, "completed", ended(world, "s1"), inBigSteps);
    assert.equal(world.site.history.length, 1);
  });
}

test("an import whose outcome is unknown twice waits for a person, also where episodes of the site have drafts", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  hand(world, anImport("s1"));
  const lost: Script = (point, { site }) => {
    if (point === "after-send") site.history.length = 0;
    return point === "after-send" ? "unknown" : undefined;
  };
  const { engine } = await world.farm({ over: importing, script: lost });
  await passTime(world.clock, "a person is asked", async () => (await engine.freshStatus()).needsPerson.length === 1, inBigSteps);
  const row = await engine.ledger.episodes.get({ accountKey: "scripted:account-s1", episodeId: feed });
  assert.deepEqual([row?.state, row?.attempts], ["needs_person", 2]);
});

test("another task with the same feed on the same account finds it imported, however its address is written", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  hand(world, anImport("s1"));
  await world.farm({ over: importing });
  await passTime(world.clock, "completed", ended(world, "s1"));
  hand(world, anImport("s2", { account_id: "account-s1", link_rss: "HTTPS://anchor.example:443/s/1a2b/podcast/rss#again" }));
  await passTime(world.clock, "the second, too", ended(world, "s2"));
  assert.equal(world.site.history.length, 1);
});

test("canceled right before the last button: not sent, no further report", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  hand(world, anImport("s1"));
  const { engine } = await world.farm({
    over: importing,
    script(point) {
      const task = world.manager.tasks.get("s1");
      if (point === "before-arm" && task) task.status = "cancel";
    },
  });
  await passTime(world.clock, "canceled", async () => (await engine.freshStatus()).tasks.canceled === 1);
  assert.deepEqual(world.site.history, []);
  assert.deepEqual(world.manager.effects, ["start s1"]);
});

test("feeds are asked for only where a driver can import, and neither kind of work starves the other", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  await world.farm();
  await passTime(world.clock, "two pulls", () => pulls(world).length >= 2);
  assert.ok(pulls(world).every((path) => path.includes("type=primary")));

  const busy = await givenWorld(t, (await givenPglite(t)).store);
  for (const id of ["t1", "t2", "t3", "t4"]) busy.manager.add(aTask(id, {}, 1));
  for (const id of ["s1", "s2"]) hand(busy, anImport(id));
  await busy.farm({ over: { ...importing, concurrency: 1 } });
  await passTime(
    busy.clock,
    "all are done",
    () => [...busy.manager.tasks.values()].every(({ status }) => status === "completed"),
    inBigSteps,
  );
  assert.equal(busy.site.history.length, 6);
  const kinds = new Set(pulls(busy).map((path) => /type=(\w+)/.exec(path)?.[1]));
  assert.deepEqual([...kinds].sort(), ["primary", "secondary"]);
});

test("a manager that knows no secondary tasks holds up no episode", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.fail({ method: "GET", path: /type=secondary/, status: 400, times: 1000 });
  world.manager.add(aTask("t1", {}, 1));
  const { engine } = await world.farm({ over: importing });
  await passTime(world.clock, "completed", ended(world, "t1"));
  const asked = pulls(world).filter((path) => path.includes("secondary")).length;
  await world.clock.advance(30_000);
  assert.equal(pulls(world).filter((path) => path.includes("secondary")).length, asked, "it is not asked over and over");
  assert.deepEqual(
    (await engine.freshStatus()).waits.filter((why) => why.includes("400")),
    [],
  );
});

test("what can't be imported is refused with a sentence: no feed, no driver for it", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  hand(world, anImport("s1", { link_rss: "somewhere" }));
  await world.farm({ over: importing });
  await passTime(world.clock, "refused", () => world.manager.seen.some(({ path }) => path === "/links/s1/fail"));
  const said = (id: string): unknown => world.manager.seen.find(({ path }) => path === `/links/${id}/fail`)?.body["error_message"];
  assert.match(String(said("s1")), /names no feed to import/);

  const folder = await tempDir(t);
  await writeFile(join(folder, "task.json"), JSON.stringify(anImport("s2")));
  const other = await givenWorld(t, (await givenPglite(t)).store);
  const source = await createFileSource(join(folder, "task.json"));
  const reports: string[] = [];
  const { deliver } = source;
  source.deliver = async (id, report) => {
    if (report.kind === "fail") reports.push(report.error_message);
    return deliver(id, report);
  };
  await other.farm({ over: { sources: [source] } });
  await passTime(other.clock, "refused", () => reports.length > 0);
  assert.match(reports[0] ?? "", /the driver scripted can't take over a show by its feed/);
});

test("a file may name a feed to import", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const file = join(await tempDir(t), "task.json");
  const { id: _id, link_id: _link, ...task } = anImport("s1");
  await writeFile(file, JSON.stringify({ ...task, id: "f1" }));
  const source = await createFileSource(file);
  const { engine } = await world.farm({ over: { ...importing, sources: [source] } });
  let idle = false;
  void engine.idle(60 * 60_000).then(() => (idle = true));
  await passTime(world.clock, "the file has ended", () => idle);
  assert.equal(world.site.history.length, 1);
});
