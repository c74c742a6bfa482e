import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { workerTask } from "../../src/contract/worker-api.ts";
import { openCredentials, sealTask } from "../../src/coordinator/tasks.ts";
import { readAccount } from "../../src/driver/context.ts";
import { z } from "../../src/driver/index.ts";
import { openVault } from "../../src/store/vault.ts";

const token = "demo-api-token-5c1";
const given = { id: "task-1", status: "queued", domain: "studio.example.com", username: "140447", data_content: [] };

test("a site's API token is sealed with the task, and only the driver is given it", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "podcrew-token-"));
  t.after(async () => rm(dataDir, { recursive: true, force: true }));
  const vault = openVault({ dataDir, embedded: true });
  const box = sealTask(workerTask.parse({ ...given, api_token: token }), vault);
  assert.ok(!JSON.stringify(box).includes(token), "neither in the task's data nor in the box");

  const credentials = openCredentials({ id: "task-1", sealed_credentials: box.sealed_credentials }, vault);
  const driver = { site: "by-api", account: z.object({ username: z.string(), apiToken: z.string() }) };
  assert.deepEqual(readAccount(driver, credentials), { username: "140447", apiToken: token });
});

test("a task without a token, also one that was sealed before there was such a field, has an empty one", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "podcrew-token-"));
  t.after(async () => rm(dataDir, { recursive: true, force: true }));
  const vault = openVault({ dataDir, embedded: true });
  const { sealed_credentials } = sealTask(workerTask.parse(given), vault);
  assert.equal(openCredentials({ id: "task-1", sealed_credentials }, vault).apiToken, "");
  const driver = { site: "by-api", account: z.object({ apiToken: z.string() }) };
  assert.throws(() => readAccount(driver, openCredentials({ id: "task-1", sealed_credentials }, vault)), /by-api: apiToken is missing/);
});
