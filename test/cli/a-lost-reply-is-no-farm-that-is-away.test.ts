import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { taskRoutes } from "../../src/contract/task-api.ts";
import { askFarm, askTasks } from "../../src/cli/farm-client.ts";
import { UsageError, type Config } from "../../src/kit/config.ts";
import { tempDir } from "../support/temp.ts";

const says = (pattern: RegExp, never: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UsageError);
  assert.match(error.message, pattern);
  assert.doesNotMatch(error.message, never);
  return true;
};

test("a call whose answer is lost may have been taken, and the user is told where to look before it is made twice", async (t) => {
  const server = createServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: taskPort } = server.address() as AddressInfo;
  const config = { host: "127.0.0.1", taskPort, data: await tempDir(t, "lost") } as unknown as Config;
  const create = async () => askTasks(config, taskRoutes.createTasks.answer, "POST", "/task", {});
  const stats = async () => askTasks(config, taskRoutes.taskStats.answer, "GET", "/task/stats");
  const [startOne, look] = [/Start one/, /may have taken/];
  await assert.rejects(create(), says(/may have taken.*podcrew task list/, startOne));
  await assert.rejects(askFarm(config, "/api/v1/farm/resolve", { task: "t1" }), says(/may have taken.*podcrew status/, startOne));
  await assert.rejects(stats(), says(/no whole answer/, new RegExp(`${startOne.source}|${look.source}`)));
  await new Promise((resolve) => server.close(resolve));
  for (const ask of [create, stats]) await assert.rejects(ask(), says(/No farm answers.*Start one/, look));
});
