import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { taskRoutes } from "../../src/contract/task-api.ts";
import { askFarm, askTasks } from "../../src/cli/farm-client.ts";
import type { Config } from "../../src/kit/config.ts";
import { tempDir } from "../support/temp.ts";

const refused = { code: 40_100, message: "This needs a word", data: null };
const stats = { code: 0, message: "success", data: { total: 0, pending: 0, running: 0, completed: 0, failed: 0 } };

/** Something at the farm's port. @param answer to a word @returns how to reach it, and the words that it was told */
async function givenListener(t: TestContext, answer: (word: string) => { code: number }): Promise<{ config: Config; words: string[] }> {
  const words: string[] = [];
  const server = createServer((request, response) => {
    const word = request.headers.authorization?.replace("Bearer ", "") ?? "";
    words.push(word);
    const body = answer(word);
    response.writeHead(body.code === 0 ? 200 : Math.floor(body.code / 100), { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const data = await tempDir(t, "farm-word");
  await writeFile(join(data, "farm-token"), "word-of-the-folder");
  const config = { host: "127.0.0.1", taskPort: (server.address() as AddressInfo).port, data, taskToken: undefined };
  return { config: config as unknown as Config, words };
}

test("the folder's word is told only to a farm that asks for one, or by a command that needs it", async (t) => {
  const open = await givenListener(t, () => stats);
  await askTasks(open.config, taskRoutes.taskStats.answer, "GET", "/task/stats");
  await askFarm(open.config, "/api/v1/farm/status");
  assert.deepEqual(open.words, ["", ""]);
  await askFarm(open.config, "/api/v1/farm/resolve", { task: "t1" }, { secret: true });
  assert.deepEqual(open.words.slice(2), ["word-of-the-folder"]);

  const other = await givenListener(t, () => ({ code: 40_400 }));
  await assert.rejects(askTasks(other.config, taskRoutes.taskStats.answer, "GET", "/task/stats"));
  assert.deepEqual(other.words, [""]);

  for (const refusal of [refused, { ...refused, code: 40_301 }]) {
    const closed = await givenListener(t, (word) => (word === "word-of-the-folder" ? stats : refusal));
    await askTasks(closed.config, taskRoutes.taskStats.answer, "GET", "/task/stats");
    assert.equal((await askFarm(closed.config, "/api/v1/farm/status")).status, 200);
    assert.deepEqual(closed.words, ["", "word-of-the-folder", "", "word-of-the-folder"]);
  }
});

test("TASK_TOKEN goes with every call that a caller may make", async (t) => {
  const { config, words } = await givenListener(t, (word) => (word === "demo-task-token" ? stats : refused));
  const known = { ...config, taskToken: "demo-task-token" };
  await askTasks(known, taskRoutes.taskStats.answer, "GET", "/task/stats");
  assert.equal((await askFarm(known, "/api/v1/farm/status")).status, 200);
  assert.deepEqual(words, ["demo-task-token", "demo-task-token"]);
});
