import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig, UsageError } from "../../src/kit/config.ts";
import { redact } from "../../src/kit/redact.ts";
import { settings } from "../../src/kit/settings.ts";
import { tempDir } from "../support/temp.ts";

async function complaint(...args: Parameters<typeof loadConfig>): Promise<string> {
  const error: unknown = await loadConfig(...args).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UsageError, String(error));
  return error.message;
}

test("flags win over the environment, that over the file, that over the defaults", async (t) => {
  const cwd = await tempDir(t);
  await writeFile(
    join(cwd, "podcrew.config.json"),
    JSON.stringify({ concurrency: 2, managerPort: 9000, studioPort: 9001, allowPrivate: ["a", "b:1"] }),
  );
  const config = await loadConfig({ concurrency: "8", host: undefined }, { CONCURRENCY: "4", MANAGER_PORT: "9500", STUDIO_PORT: "" }, cwd);
  assert.deepEqual(
    [config.concurrency, config.managerPort, config.studioPort, config.taskPort, config.allowPrivate],
    [8, 9500, 9001, 50_809, ["a", "b:1"]],
  );
});

test("a configuration file may be TypeScript", async (t) => {
  const cwd = await tempDir(t);
  await writeFile(join(cwd, "podcrew.config.ts"), "const n: number = 3;\nexport default { concurrency: n };\n");
  assert.equal((await loadConfig({}, {}, cwd)).concurrency, 3);
});

test("nothing given is a good configuration; the data folder is absolute", async (t) => {
  const cwd = await tempDir(t);
  const config = await loadConfig({}, {}, cwd);
  assert.equal(config.data, join(cwd, ".podcrew"));
  assert.deepEqual([config.databaseUrl, config.host, config.headed, config.sites], [undefined, "127.0.0.1", false, {}]);
});

test("values are read as a person writes them", async (t) => {
  const env = {
    HEADED: "yes",
    ALLOWED_HOSTS: " a.example, b.example ,",
    MANAGER_URL: "https://m.example/",
    SITES: "pod.example=podcrew-studio, x.example:8080=blog@http://x.example:8080",
    TIME_ZONE: "Asia/Ho_Chi_Minh",
  };
  const config = await loadConfig({}, env, await tempDir(t));
  assert.deepEqual(
    [config.headed, config.allowedHosts, config.managerUrl, config.sites],
    [
      true,
      ["a.example", "b.example"],
      "https://m.example",
      { "pod.example": { driver: "podcrew-studio" }, "x.example:8080": { driver: "blog", origin: "http://x.example:8080" } },
    ],
  );
});

test("all problems at once, each with its place, its value and an example", async (t) => {
  const cwd = await tempDir(t);
  await writeFile(join(cwd, "podcrew.config.json"), JSON.stringify({ studioPort: 70_000 }));
  const said = await complaint(
    { managerUrl: "manager", logLevel: "loud" },
    { CONCURRENCY: "many", TIME_ZONE: "Mars", HEADED: "perhaps", SITES: "x" },
    cwd,
  );
  assert.match(said, /^The configuration has 7 problems:\n/);
  for (const line of [
    "--manager-url=manager: not an http:// or https:// address (the manager that the farm pulls from; for example MANAGER_URL=https://manager.example.com)",
    "--log-level=loud: ",
    "CONCURRENCY=many: ",
    "TIME_ZONE=Mars: not a time zone (",
    "HEADED=perhaps: not yes or no (",
    "SITES=x: ",
    "studioPort in podcrew.config.json=70000: ",
  ])
    assert.ok(said.includes(`\n  ${line}`), `${line} in ${said}`);
});

test("a bad secret is not shown, and a good one is masked in logs from now on", async (t) => {
  const cwd = await tempDir(t);
  assert.doesNotMatch(await complaint({}, { PODCREW_KEY: "demo-not-a-key", DATABASE_URL: "mysql://u:demo-hidden@h/d" }, cwd), /demo-/);
  await loadConfig(
    {},
    { API_KEY: "demo-api-key-1", DATABASE_URL: "postgres://u:demo-db%21pass@h/d", SMTP_URL: "smtp://u:demo-mail-pass@h:25" },
    cwd,
  );
  assert.doesNotMatch(redact("a demo-api-key-1 b demo-db!pass c demo-db%21pass d demo-mail-pass"), /demo-/);
});

test("a bad file is one sentence", async (t) => {
  const [unknown, broken, empty] = [await tempDir(t), await tempDir(t), await tempDir(t)];
  await writeFile(join(unknown, "podcrew.config.json"), '{ "concurency": 2 }');
  await writeFile(join(broken, "podcrew.config.json"), '{ "concurrency": ');
  await writeFile(join(empty, "podcrew.config.ts"), "export const concurrency = 2;\n");
  assert.match(await complaint({}, {}, unknown), /^podcrew\.config\.json: unknown setting concurency\. Known are: data, databaseUrl, /);
  assert.match(await complaint({}, {}, broken), /^podcrew\.config\.json can't be read: /);
  assert.match(
    await complaint({}, {}, empty),
    /^podcrew\.config\.ts does not hold settings\. It looks like export default \{ concurrency: 2 \};$/,
  );
});

test("every example is a good value", async (t) => {
  const cwd = await tempDir(t);
  for (const [name, { env, example }] of Object.entries(settings)) {
    if (name === "key") continue;
    await loadConfig({}, { [env]: example }, cwd);
  }
});
