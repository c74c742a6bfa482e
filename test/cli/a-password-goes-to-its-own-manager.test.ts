import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { listGroups } from "../../src/cli/groups.ts";
import { loadConfig, UsageError } from "../../src/kit/config.ts";
import { givenStudio } from "../studio/support.ts";
import { givenPglite } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

/** @returns its address */
async function listening(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

test("what stands in manager.json is sent to the manager that wrote it, and to no other", async (t) => {
  const heard: string[] = [];
  const url = await listening(t, (request, response) => {
    heard.push(request.url ?? "");
    response.writeHead(404).end();
  });
  const data = await tempDir(t, "own");
  for (const writer of ["http://127.0.0.1:8700", `${url}/podcrew`]) {
    await writeFile(join(data, "manager.json"), JSON.stringify({ url: writer, email: "owner@podcrew.example", password: "demo-password" }));
    const config = await loadConfig({}, { PODCREW_DATA: data, MANAGER_URL: url }, data);
    await assert.rejects(
      listGroups(config),
      (error) => error instanceof UsageError && /MANAGER_EMAIL and MANAGER_PASSWORD/.test(error.message),
    );
  }
  assert.deepEqual(heard, []);
});

test("half of a sign-in is refused with a sentence that names the other half", async (t) => {
  const data = await tempDir(t, "half");
  for (const [set, missing] of [
    ["MANAGER_EMAIL", "MANAGER_PASSWORD"],
    ["MANAGER_PASSWORD", "MANAGER_EMAIL"],
  ] as const) {
    const config = await loadConfig({}, { PODCREW_DATA: data, [set]: "me@example.com" }, data);
    await assert.rejects(
      listGroups(config),
      (error) => error instanceof UsageError && error.message.startsWith(`${set} is set and ${missing} is not`),
    );
  }
});

test("the studio's address, and that of whatever else is no manager, is said to be none", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  const answers = [401, 402, 403, 404, 422].map((status) => ({ status, json: { status, message: "no" } }));
  const farm = { status: 404, json: { code: 40401, message: "not found" } };
  const urls = [studio.url];
  for (const { status, json } of [...answers, farm])
    urls.push(
      await listening(t, (_request, response) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json)),
      ),
    );
  for (const url of urls) {
    const config = await loadConfig({}, { MANAGER_URL: url, MANAGER_EMAIL: "me@example.com", MANAGER_PASSWORD: "demo-password" }, "/");
    await assert.rejects(
      listGroups(config),
      (error) => error instanceof UsageError && /^What answers at \S+ is no Podcrew manager,.*Check MANAGER_URL/.test(error.message),
    );
  }
});
