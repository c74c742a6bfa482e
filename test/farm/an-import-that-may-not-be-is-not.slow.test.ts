import assert from "node:assert/strict";
import { test } from "node:test";
import { dovecotMissing } from "../support/dovecot.ts";
import { givenImportPair } from "../support/import-pair.ts";

const skip = dovecotMissing ?? false;

test("a locked feed fails for good, with the site's own sentence", { skip }, async (t) => {
  const { whole, request } = await givenImportPair(t, { locked: true });
  const { secondary } = await request("Behind a lock");
  const failed = await whole.reaches(secondary, ["completed", "failed"]);
  assert.deepEqual([failed.state, failed.failureCode], ["failed", "content.feed"]);
  assert.match(failed.errorMessage, /^Not imported\. The feed is locked\. Unlock it at the host where the show lives now/);
  assert.deepEqual(await whole.studio.imports(), []);
});

test("canceled right before the last button: nothing is imported, and nothing is reported", { skip }, async (t) => {
  const { whole, request } = await givenImportPair(t);
  const canceled = Promise.withResolvers<string>();
  whole.farm.events.on("step", ({ taskId, step }) => {
    if (step === "wait for the ownership code") whole.manager.cancelTask(taskId).then(() => canceled.resolve(taskId), canceled.reject);
  });
  const ended = Promise.withResolvers<string>();
  const { secondary } = await request("Never mind");
  whole.farm.events.on("task", ({ taskId, state }) => taskId === secondary && state !== "running" && ended.resolve(state));
  assert.equal(await canceled.promise, secondary);
  assert.equal(await ended.promise, "canceled");
  assert.deepEqual(await whole.studio.imports(), []);
  const history = await whole.manager.history({ taskId: secondary });
  assert.deepEqual(
    history.filter(({ action }) => ["complete", "fail", "insert"].includes(action)),
    [],
  );
});
