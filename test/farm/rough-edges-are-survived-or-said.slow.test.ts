import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { wholePodcrew } from "../support/whole.ts";

/** Rough edges that real sites have, switched on in the studio; the studio's own history is the judge. */
const audio = "<p>One sentence that is read aloud.</p>";

test("a pop-up, slow processing and a listing that lags: two episodes, published once each", async (t) => {
  const { post, studio } = await wholePodcrew(t, { edges: { whatsNew: true, processingMs: 1500, listingLagMs: 2000 } });
  const task = await post([
    { title: "First", about: audio },
    { title: "Second", about: audio },
  ]);
  assert.equal(task.status, "completed", task.errorMessage);
  assert.deepEqual(
    (await studio.history()).map(({ title, outcome }) => [title, outcome]),
    [
      ["First", "published"],
      ["Second", "published"],
    ],
  );
});

test("a session that ends in the middle is signed in again, and nothing is posted twice", async (t) => {
  const { post, studio } = await wholePodcrew(t, { edges: { sessionExpiresAfterRequests: 40 } });
  const task = await post([
    { title: "First", about: audio },
    { title: "Second", about: audio },
    { title: "Third", about: audio },
  ]);
  assert.equal(task.status, "completed", task.errorMessage);
  assert.deepEqual(
    (await studio.history()).map(({ title, outcome }) => [title, outcome]),
    [
      ["First", "published"],
      ["Second", "published"],
      ["Third", "published"],
    ],
  );
});

test("a page that asks for a human stops the account and goes to a person, with evidence", async (t) => {
  const { account, farm, manager, post, studio } = await wholePodcrew(t, { edges: { challenge: "sign-in" } });
  const given = await account();
  const { taskId } = await manager.makeTask({ account: given, website: studio.url, episodes: [{ title: "First", about: audio }] });
  const deadline = Date.now() + 60_000;
  while (farm.status().needsPerson.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  const [person] = farm.status().needsPerson;
  assert.equal(person?.taskId, taskId);
  assert.match(person?.why ?? "", /Sign in by hand once/);
  assert.ok(
    person?.evidence.some((path) => path.endsWith(".png") && existsSync(path)),
    "a screenshot was kept",
  );
  assert.equal((await manager.task(taskId))?.status, "running", "the manager sees a task that is held, not a failure");
  assert.deepEqual(await studio.history(), []);

  studio.edges.challenge = "off";
  const other = await post([{ title: "Another account goes on", about: audio }]);
  assert.equal(other.status, "completed", other.errorMessage);
});

test("a changed label is said as such, with a screenshot, and nothing is published", async (t) => {
  const { post, studio } = await wholePodcrew(t, { edges: { changedLabel: "Release" }, settings: { stepSeconds: 10 } });
  const task = await post([{ title: "First", about: audio }]);
  assert.equal(task.status, "failed");
  assert.equal(task.failureCode, "site.changed");
  assert.match(task.errorMessage, /0\/1.*screenshot and a trace were kept/s);
  assert.deepEqual(await studio.history(), []);
});

test("a wrong password is tried once, reported for good, and the account is not locked", async (t) => {
  const { account, post, studio } = await wholePodcrew(t);
  const given = await account();
  const wrong = await post([{ title: "First", about: audio }], { ...given, password: "demo-password-wrong" });
  assert.equal(wrong.failureCode, "account.refused");
  assert.match(wrong.errorMessage, /Correct them in the manager/);
  const right = await post([{ title: "First again", about: audio }], given);
  assert.equal(right.status, "completed", right.errorMessage);
  assert.equal((await studio.history()).length, 1);
});
