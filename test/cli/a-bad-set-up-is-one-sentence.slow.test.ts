import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { copyEmptyDatabase, givenPglite, silentLog } from "../support/store.ts";
import { openManager } from "../../src/manager/manager.ts";
import { openVault } from "../../src/store/vault.ts";
import { freePorts, ownPorts, podcrew } from "../support/podcrew.ts";
import { tempDir } from "../support/temp.ts";

/** Ends by itself, with a code that is not 0 and one sentence that says what, where and what to do. */
async function refuses(run: ReturnType<typeof podcrew>, pattern: RegExp): Promise<void> {
  assert.notEqual(await run.ended(30_000), 0);
  const said = run
    .stderr()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("{"));
  assert.match(said.join("\n"), pattern);
  assert.ok(!said.some((line) => /^\s+at /.test(line)), `no stack trace:\n${run.stderr()}`);
  assert.equal(run.stdout(), "");
}

test("several bad settings are told at once, each with an example", async (t) => {
  const run = podcrew(t, ["up"], { env: { MANAGER_PORT: "eight", CONCURRENCY: "-1", TIME_ZONE: "Mars/Olympus" } });
  await refuses(run, /3 problems[\s\S]*CONCURRENCY[\s\S]*MANAGER_PORT[\s\S]*for example MANAGER_PORT=8700[\s\S]*TIME_ZONE/);
});

test("a shared database without a vault key: no key, no start", async (t) => {
  const data = await tempDir(t, "nokey");
  await refuses(
    podcrew(t, ["farm"], { env: { PODCREW_DATA: data, DATABASE_URL: "postgres://127.0.0.1:1/podcrew" } }),
    /vault key.*openssl rand -base64 32/,
  );
});

test("a farm that knows no manager", async (t) => {
  const data = await tempDir(t, "nomanager");
  await copyEmptyDatabase(data);
  await refuses(podcrew(t, ["farm"], { env: await ownPorts(data) }), /MANAGER_URL/);
});

test("a manager that can't be reached", async (t) => {
  const data = await tempDir(t, "unreachable");
  await copyEmptyDatabase(data);
  const [nobody] = await freePorts(1);
  await refuses(
    podcrew(t, ["farm"], { env: { ...(await ownPorts(data)), MANAGER_URL: `http://127.0.0.1:${nobody}`, API_KEY: "pck_demo" } }),
    /manager at http:\/\/127\.0\.0\.1:\d+ can't be used.*ECONNREFUSED.*Check MANAGER_URL/,
  );
});

test("a wrong API key", async (t) => {
  const { store, dataDir } = await givenPglite(t);
  const manager = await openManager({
    store,
    vault: openVault({ dataDir, embedded: true }),
    log: silentLog,
    config: { host: "127.0.0.1", port: 0, allowedHosts: [], publicUrl: undefined },
  });
  t.after(async () => manager.close());
  const data = await tempDir(t, "wrongkey");
  await copyEmptyDatabase(data);
  await refuses(
    podcrew(t, ["farm"], { env: { ...(await ownPorts(data)), MANAGER_URL: manager.url, API_KEY: "pck_demo_wrong" } }),
    /refuses API_KEY.*401/,
  );
});

test("a port that is taken", async (t) => {
  const data = await tempDir(t, "taken");
  await copyEmptyDatabase(data);
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  await refuses(
    podcrew(t, ["up"], { env: { ...(await ownPorts(data)), STUDIO_PORT: String(port) } }),
    new RegExp(`Port ${port} .*is taken.*STUDIO_PORT=${port + 1}`),
  );
});

test("a data folder that another process uses", async (t) => {
  const data = await tempDir(t, "used");
  await copyEmptyDatabase(data);
  const first = podcrew(t, ["manager"], { env: await ownPorts(data) });
  await first.says(/manager is up/);
  await refuses(podcrew(t, ["studio"], { env: await ownPorts(data) }), /in use by another podcrew process.*PODCREW_DATA=.*DATABASE_URL/);
  first.child.kill("SIGTERM");
  assert.equal(await first.ended(), 0);
});

test("a status without a farm, a task file without a task, an unknown command", async (t) => {
  const data = await tempDir(t, "none");
  const env = await ownPorts(data);
  await refuses(podcrew(t, ["status"], { env }), /No farm answers at http:\/\/127\.0\.0\.1:\d+.*podcrew up/);
  await refuses(podcrew(t, ["run", "missing.json"], { env, cwd: data }), /missing\.json can't be read/);
  await refuses(podcrew(t, ["publish-everything"], { env }), /unknown command/);
});
