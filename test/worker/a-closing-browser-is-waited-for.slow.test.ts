import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import type { BrowserSettings } from "../../src/contract/task.ts";
import { Browsers } from "../../src/worker/browsers.ts";
import { makeAssignment } from "../support/coordinator.ts";
import { browserProcesses } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

async function given(t: TestContext): Promise<BrowserSettings> {
  return makeAssignment({ folder: await tempDir(t, "browsers"), origin: "http://127.0.0.1", driverModule: "" }).browser;
}

test("whoever closes browsers that are closing already waits for them: a thread that went first would leave a zombie", async (t) => {
  const browsers = new Browsers();
  const settings = await given(t);
  const { release } = await browsers.lease(settings);
  await release();
  assert.ok(browserProcesses().length > 0);
  void browsers.close();
  await browsers.close();
  assert.deepEqual(browserProcesses(), []);
});

test("a thread that is about to end launches no browser any more", async (t) => {
  const browsers = new Browsers();
  const settings = await given(t);
  await browsers.end();
  await assert.rejects(
    browsers.lease(settings),
    (error) => error instanceof Failure && error.code === "farm.worker_died" && /about to end/.test(error.message),
  );
  assert.deepEqual(browserProcesses(), []);
});
