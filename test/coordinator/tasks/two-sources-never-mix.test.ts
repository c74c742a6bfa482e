import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/contract/failures.ts";
import { mayBring } from "../../../src/coordinator/source.ts";
import { aTask, givenWorld } from "../../support/given-engine.ts";
import { card, type Script } from "../../support/scripted-worker.ts";
import { eachBackend, givenPglite } from "../../support/store.ts";
import { passTime } from "../../support/virtual-clock.ts";
import { bringing, givenTasks, maya } from "./given-tasks.ts";

test("[ledger] ids of the farm's own tasks and of checks are nobody else's", () => {
  assert.deepEqual(
    [
      mayBring("local", "local:1.1"),
      mayBring("manager:x", "t1"),
      mayBring("manager:x", "local:1.1"),
      mayBring("manager:x", "check:1"),
      mayBring("local", "t1"),
      mayBring("local", "check:1"),
    ],
    [true, true, false, false, false, false],
  );
});

eachBackend("[ledger] a manager that calls a task as one of ours is refused, and ours is not touched", async (t, { store }) => {
  const { create, until, world, local, task } = await givenTasks(t, store, { accounts: [maya] });
  const [id = 0] = await create();
  world.manager.add(aTask(`local:${id}.1`, { account_id: "theirs" }, 1));
  await until(2, id);
  await passTime(world.clock, "theirs is refused", () => world.manager.effects.includes(`fail local:${id}.1`));
  assert.deepEqual(
    world.site.history.map(({ title }) => title),
    ["Good morning"],
  );
  const rows = await local.db.selectFrom("tasks").select(["source", "account_key"]).execute();
  assert.deepEqual(rows, [{ source: "local", account_key: "scripted:studio.example.com/maya@example.com" }]);
  assert.equal((await task(id)).result?.links.length, 1);
});

eachBackend("[ledger] a manager that is down, or refuses the key, holds up none of the farm's own tasks", async (t, { store }) => {
  const { create, until, world, engine } = await givenTasks(t, store, { accounts: [maya] });
  world.manager.down = true;
  const ids = await create({ usernames: ["maya@example.com", "maya@example.com"] });
  await until(2, ...ids);
  world.manager.down = false;
  world.manager.fail({ method: "GET", status: 401, times: 100 });
  await passTime(world.clock, "the key is refused", async () => (await engine.freshStatus()).waits.some((why) => why.includes("key")));
  const more = await create();
  await until(2, ...more);
  assert.equal(world.site.history.length, 3);
});

test("[ledger] a manager that wants a rest has it, whatever is done with the farm's own tasks meanwhile", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const pulls = (): number => world.manager.seen.filter(({ method, path }) => method === "GET" && /^\/links(\?|$)/.test(path)).length;
  world.manager.fail({ method: "GET", path: /^\/links/, status: 429, headers: { "retry-after": "600" } });
  const { create, ask, until, engine } = await givenTasks(t, store, { world, accounts: [maya] });
  await passTime(world.clock, "it is asked", () => pulls() === 1);
  const from = world.clock.now();
  const [id = 0, stopped = 0] = await create({ usernames: ["maya@example.com", "maya@example.com"] });
  await ask("POST", `/task/${stopped}/stop`);
  await ask("POST", `/task/${stopped}/retry`);
  await until(2, id, stopped);
  engine.wake();
  await world.clock.advance(1000);
  await world.clock.breathe();
  assert.deepEqual([pulls(), world.clock.now() - from < 500_000], [1, true]);
  await passTime(world.clock, "it is asked again", () => pulls() === 2, { limitMs: 700_000 });
  assert.ok(world.clock.now() - from > 598_000, `after ${world.clock.now() - from} ms`);
});

eachBackend(
  "[ledger] a farm that dies at the click leaves the task in doubt; the next one looks, and posts nothing twice",
  async (t, { store }) => {
    let clicked = false;
    const first = await givenTasks(t, store, {
      accounts: [maya],
      script(point) {
        if (point !== "after-send" || clicked) return undefined;
        clicked = true;
        return "hang";
      },
    });
    const { world } = first;
    world.manager.add(aTask("m1", {}, 1));
    const [id = 0] = await first.create();
    await passTime(world.clock, "one of them is at the click", () => clicked);
    first.crash();
    const second = await givenTasks(t, store, { world });
    await second.until(2, id);
    await passTime(world.clock, "the manager's is completed", () => world.manager.tasks.get("m1")?.status === "completed");
    assert.equal(world.site.history.length, 2);
    assert.equal(new Set(world.site.history.map(({ marker }) => marker)).size, 2);
  },
);

test("[ledger] a late word of an earlier attempt ends none that is later; that all is posted is a fact from anyone", async (t) => {
  const { store } = await givenPglite(t);
  const { create, task, local } = await givenTasks(t, store, { start: false, accounts: [maya] });
  const { source, tasks } = local;
  const [id = 0] = await create();
  const [one, two] = [`local:${id}.1`, `local:${id}.2`];
  const say = async (taskId: string, report: Parameters<typeof source.deliver>[1]): Promise<string> =>
    (await source.deliver(taskId, report)).kind;
  assert.equal(await say(one, { kind: "start" }), "delivered");
  assert.equal(await say(one, { kind: "start" }), "delivered");
  await tasks.stop(id);
  assert.equal(await say(one, { kind: "start" }), "final");
  assert.equal(await say(one, { kind: "fail", error_message: "late", code: "site.changed", retry: true }), "delivered");
  assert.equal((await task(id)).error, "stopped");
  await tasks.retry(id);
  assert.deepEqual(
    [await say(one, { kind: "start" }), await say(one, { kind: "fail", error_message: "x", code: "y", retry: false })],
    ["final", "final"],
  );
  const read = async (taskId: string): Promise<string> =>
    ((answer) => (answer.kind === "task" ? answer.task.status : answer.kind))(await source.read(taskId));
  assert.deepEqual([await read(one), await read(two), await read("local:999.1"), await read("t1")], ["canceled", "queued", "gone", "gone"]);
  assert.equal(await say(two, { kind: "start" }), "delivered");
  assert.equal(await say(one, { kind: "complete", link_post: "https://studio.example.com/e/1" }), "delivered");
  assert.deepEqual([(await task(id)).status, (await task(id)).result?.links], [2, ["https://studio.example.com/e/1"]]);
  assert.equal(await say(two, { kind: "fail", error_message: "x", code: "y", retry: false }), "final");
  assert.equal(await say(two, { kind: "account", link_rss: "https://studio.example.com/feed.xml", cookie: "a=b" }), "delivered");
  assert.equal((await task(id)).result?.link_rss, "https://studio.example.com/feed.xml");
  await tasks.remove([id]);
  assert.equal(await say(two, { kind: "complete", link_post: "https://studio.example.com/e/1" }), "final");
});

test("[ledger] a login that both sources know has one session at a time", async (t) => {
  const { store } = await givenPglite(t);
  let [now, most] = [0, 0];
  const { create, until, world } = await givenTasks(t, store, {
    accounts: [maya],
    async script(point) {
      if (point === "begin") most = Math.max(most, (now += 1));
      if (point === "next") await world.clock.sleep(2000);
      if (point === "feed") now -= 1;
    },
  });
  world.manager.add(aTask("m1", { email: "Maya@example.com" }, 2));
  const ids = await create();
  await until(2, ...ids);
  await passTime(world.clock, "the manager's is completed", () => world.manager.tasks.get("m1")?.status === "completed");
  assert.deepEqual([most, world.site.history.length], [1, 3]);
});

test("[note] a task that waits for a person shows as running, with a note; whoever resolves it lets it go on", async (t) => {
  const { store } = await givenPglite(t);
  let challenged = true;
  const { create, task, until, world, engine } = await givenTasks(t, store, {
    accounts: [maya],
    script(point) {
      if (point === "sign-in" && challenged) throw new Failure("account.challenged", "captcha");
    },
  });
  const [id = 0] = await create();
  await passTime(world.clock, "a person is needed", async () => /captcha/.test((await task(id)).note ?? ""));
  assert.equal((await task(id)).status, 1);
  assert.equal((await engine.freshStatus()).needsPerson[0]?.taskId, `local:${id}.1`);
  challenged = false;
  assert.equal(await engine.resolve({ task: `local:${id}.1` }), null);
  await until(2, id);
});

test("[ledger] a task that bears the id of another account's changes nothing of that one and is not done in its place", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const other = { ...card, site: "other", hosts: ["other.example.com"] };
  const script: Script = (point) => {
    if (point === "sign-in") throw new Failure("account.incomplete", "no");
  };
  const ours = bringing("manager:a", aTask("7", { account_id: "A", password: "of-a" }, 1));
  const first = await world.farm({ script, over: { sources: [ours], cards: [card, other] } });
  await passTime(world.clock, "ours has failed", () => ours.said.some(({ kind }) => kind === "fail"));
  const known = await first.engine.ledger.task("7");
  first.crash();
  const again = bringing("manager:b", aTask("m2", { account_id: "B" }, 1));
  const theirs = [
    bringing("file:/b.json", aTask("7", { account_id: "B", domain: "other.example.com", password: "of-b" }, 1)),
    bringing("file:/c.json", aTask("7", { account_id: "A", domain: "other.example.com", password: "of-c" }, 1)),
    again,
  ];
  const { engine, pool, crash } = await world.farm({ over: { sources: theirs, cards: [card, other] } });
  await passTime(world.clock, "all was pulled", () => again.said.some(({ kind }) => kind === "complete"));
  assert.deepEqual(await engine.ledger.task("7"), known);
  for (const { said } of theirs.slice(0, 2)) assert.match(JSON.stringify(said.at(-1)), /"fail".*another account's task/);
  assert.deepEqual(
    pool.assignments.map(({ assignment }) => assignment.taskId),
    ["m2"],
  );
  crash();
  // The same account of a manager whose address has changed.
  const moved = bringing("manager:new", aTask("7", { account_id: "A", password: "of-a" }, 1));
  await world.farm({ over: { sources: [moved], cards: [card, other] } });
  await passTime(world.clock, "it is done there", () => moved.said.some(({ kind }) => kind === "complete"));
});
