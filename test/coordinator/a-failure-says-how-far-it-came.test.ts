import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { givenPglite } from "../support/store.ts";
import { aTask, givenWorld, prepareAtOnce, type World } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";

async function given(t: TestContext): Promise<World> {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1"));
  return world;
}

test("k of N posted, then the site fails: /fail says so, and a retry posts only the rest", async (t) => {
  const world = await given(t);
  let broken = true;
  await world.farm({
    script(point, { next }) {
      if (broken && point === "before-look" && next?.position === 2) throw new Failure("site.unreachable", "connection refused");
    },
  });
  const task = world.manager.tasks.get("t1");
  await passTime(world.clock, "failed", () => task?.status === "failed");
  assert.equal(task?.["error_message"], "1/3 posted. connection refused. The site does not answer. It is tried again later.");
  assert.deepEqual([task?.["code"], task?.["retry"]], ["site.unreachable", true]);
  assert.deepEqual(Object.keys(task?.["posted"] as object), ["t1-ep-1"], "whoever is handed the rest must not post it again");

  broken = false;
  if (task) task.status = "queued";
  await passTime(world.clock, "completed", () => task?.status === "completed");
  assert.deepEqual(
    world.site.history.map((post) => post.title),
    ["Episode 1 of t1", "Episode 2 of t1", "Episode 3 of t1"],
  );
  assert.deepEqual(Object.keys(JSON.parse(String(task?.["note"])) as object), ["t1-ep-1", "t1-ep-2", "t1-ep-3"]);
});

test("a source that hands out only what is left hears of the whole in the end", async (t) => {
  const world = await given(t);
  let broken = true;
  await world.farm({
    script(point, { next }) {
      if (broken && point === "before-look" && next?.position === 3) throw new Failure("site.unreachable", "connection refused");
    },
  });
  const task = world.manager.tasks.get("t1");
  assert.ok(task);
  await passTime(world.clock, "failed", () => task.status === "failed");
  const posted = Object.keys(task["posted"] as object);
  assert.deepEqual(posted, ["t1-ep-1", "t1-ep-2"]);

  broken = false;
  task.data_content = task.data_content.filter(({ id }) => !posted.includes(id));
  task.status = "queued";
  await passTime(world.clock, "completed", () => task.status === "completed");
  assert.equal(world.site.history.length, 3);
  const links = JSON.parse(String(task["note"])) as Record<string, string>;
  assert.deepEqual(Object.keys(links), ["t1-ep-1", "t1-ep-2", "t1-ep-3"]);
  assert.equal(task["link_post"], links["t1-ep-1"]);
});

test("an episode whose content can't be used fails alone; the others are posted; no retry is asked for", async (t) => {
  const world = await given(t);
  await world.farm({
    over: {
      async prepare(request) {
        if (request.episode.id === "t1-ep-2") throw new Failure("content.image", "image_url holds 0 bytes");
        return prepareAtOnce(request);
      },
    },
  });
  const task = world.manager.tasks.get("t1");
  await passTime(world.clock, "failed", () => task?.status === "failed");
  assert.deepEqual(
    world.site.history.map((post) => post.title),
    ["Episode 1 of t1", "Episode 3 of t1"],
  );
  assert.match(
    String(task?.["error_message"]),
    /^2\/3 posted\. "Episode 2 of t1": image_url holds 0 bytes\. The episode's image can't be used\./,
  );
  assert.deepEqual([task?.["code"], task?.["retry"]], ["content.image", false]);
  assert.ok(!world.manager.effects.includes("complete t1"));
});

test("a wrong password is reported once, permanently", async (t) => {
  const world = await given(t);
  await world.farm({
    async script(point, { calls }) {
      if (point !== "sign-in") return;
      assert.equal((await calls.maySubmitCredentials()).allowed, true);
      await calls.credentialsJudged("refused");
      throw new Failure("account.refused", "the e-mail or password is wrong");
    },
  });
  const task = world.manager.tasks.get("t1");
  await passTime(world.clock, "failed", () => task?.status === "failed");
  assert.deepEqual([task?.["code"], task?.["retry"]], ["account.refused", false]);
  assert.match(String(task?.["error_message"]), /^0\/3 posted\. the e-mail or password is wrong\./);
});

test("a challenge is held for a person, not failed", async (t) => {
  const world = await given(t);
  let challenged = true;
  const { engine } = await world.farm({
    script(point) {
      if (point === "sign-in" && challenged) throw new Failure("account.challenged", "captcha");
    },
  });
  await passTime(world.clock, "a person is needed", async () => (await engine.freshStatus()).needsPerson.length === 1);
  assert.match((await engine.freshStatus()).needsPerson[0]?.why ?? "", /captcha\. The site asks for proof that a person is there/);
  assert.deepEqual(world.manager.effects, ["start t1"]);
  challenged = false;
  assert.equal(await engine.resolve({ task: "t1" }), null);
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed");
});

test("a task that kills its thread twice is parked, alone in its thread; the others are not harmed", async (t) => {
  const world = await given(t);
  world.manager.add(aTask("poison", { account_id: "p" }, 1));
  const { pool } = await world.farm({
    script: (point, { taskId }) => (taskId === "poison" && point === "before-look" ? "die" : undefined),
  });
  const task = world.manager.tasks.get("poison");
  await passTime(world.clock, "parked", () => task?.status === "failed");
  assert.deepEqual([task?.["code"], task?.["retry"]], ["farm.worker_died", true]);
  assert.deepEqual(
    pool.assignments.filter(({ assignment }) => assignment.taskId === "poison").map(({ alone }) => alone),
    [false, true],
  );
  await passTime(world.clock, "the other is completed", () => world.manager.tasks.get("t1")?.status === "completed");
});

test("what nobody can post is refused with a sentence and never crashes the farm", async (t) => {
  const world = await given(t);
  world.manager.add(aTask("elsewhere", { domain: "unknown.example.org" }));
  world.manager.add(aTask("empty", {}, 0));
  world.manager.junk.push(null, "text", { id: "odd", status: "queued", domain: "studio.example.com", data_content: "three" });
  world.manager.tasks.set("odd", { id: "odd", status: "gone" } as never);
  await world.farm({ over: { concurrency: 10 } });
  await passTime(world.clock, "the good one is completed", () => world.manager.tasks.get("t1")?.status === "completed");
  assert.match(String(world.manager.tasks.get("elsewhere")?.["error_message"]), /no driver for unknown\.example\.org/);
  assert.equal(world.manager.tasks.get("elsewhere")?.["code"], "site.unsupported");
  assert.match(String(world.manager.tasks.get("empty")?.["error_message"]), /no episodes/);
  assert.match(String(world.manager.tasks.get("odd")?.["error_message"]), /the task can't be read: data_content/);
});
