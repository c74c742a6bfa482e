import assert from "node:assert/strict";
import { test } from "node:test";
import type { InjectOptions } from "fastify";
import { createFarmServer } from "../../../src/coordinator/http.ts";
import { taskRoutes } from "../../../src/contract/task-api.ts";
import { givenPglite, silentLog } from "../../support/store.ts";
import { asFolder, FOLDER_WORD, givenTasks, maya } from "./given-tasks.ts";

const host = "127.0.0.1:50809";

test("[T10] the licence says the plan; one without the API answers 40301 to every call", async (t) => {
  const { store } = await givenPglite(t);
  const { ask, engine, local } = await givenTasks(t, store, { start: false, concurrency: 3 });
  const { code, data } = await ask("GET", "/license/check");
  assert.deepEqual([code, data], [0, { plan_name: "Self-hosted", api_enabled: true, device_limit: 3, message: "The API is enabled." }]);
  const starter = createFarmServer({
    engine,
    log: silentLog,
    allowedHosts: [],
    token: null,
    tasks: { ...local, plan: "Starter", taskToken: undefined, concurrency: 3, now: () => 0, url: () => "" },
  });
  t.after(async () => starter.close());
  for (const { method, path, needs } of Object.values(taskRoutes)) {
    const answer = await starter.inject({ method, url: `/api/v1${path.replace(":id", "1")}`, headers: { host } });
    const expected = needs === "caller" ? [403, 40_301, null] : [401, 40_100, null];
    const { code: said, data: none } = answer.json<{ code: number; data: unknown }>();
    assert.deepEqual([answer.statusCode, said, none], expected, `${method} ${path}`);
  }
});

test("[hosts] other hosts, other pages' origins and forms are refused before anything is done", async (t) => {
  const { store } = await givenPglite(t);
  const { ask } = await givenTasks(t, store, { start: false, accounts: [maya] });
  const body = JSON.stringify({ usernames: ["maya@example.com"], script_name: "post", script_config: { captions: "x" } });
  const send = async (headers: InjectOptions["headers"]) =>
    ask("POST", "/task", undefined, { payload: body, headers: { host, ...headers } });
  const json = { "content-type": "application/json" };
  for (const [headers, status, code] of [
    [{ ...json, host: "evil.example.com" }, 403, 40_300],
    [{ ...json, origin: "https://evil.example.com" }, 403, 40_300],
    [{ ...json, origin: "null" }, 403, 40_300],
    [{ "content-type": "text/plain" }, 415, 41_501],
    [{ "content-type": "application/x-www-form-urlencoded" }, 415, 41_501],
    [{}, 415, 41_501],
  ] as const) {
    const answer = await send(headers);
    assert.deepEqual([answer.status, answer.code, answer.data], [status, code, null], JSON.stringify(headers));
  }
  const large = await ask("POST", "/task", { script_name: "x".repeat(1024 * 1024) });
  assert.deepEqual([large.status, large.code], [413, 41_301]);
  assert.deepEqual((await ask<{ total: number }>("GET", "/task/stats")).data.total, 0);
  assert.equal((await send({ ...json, origin: `http://${host}` })).code, 0);
  assert.equal((await send({ "content-type": "application/json; charset=utf-8" })).code, 0);
});

test("[token] with TASK_TOKEN only who has it may call; wrong words are slowed down", async (t) => {
  const { store } = await givenPglite(t);
  const { ask, world } = await givenTasks(t, store, { start: false, server: { taskToken: "demo-task-token" } });
  const as = async (word: string | null) =>
    (await ask("GET", "/task/stats", undefined, { headers: { host, ...(word && { authorization: `Bearer ${word}` }) } })).code;
  assert.deepEqual([await as(null), await as("demo-task-token"), await as("another")], [40_100, 0, 40_100]);
  assert.equal((await ask("GET", "/nothing", undefined, { headers: { host } })).code, 40_100);
  assert.equal((await ask("GET", "/task/stats", undefined, asFolder)).code, 0);
  assert.equal((await ask("GET", "/account", undefined, { headers: { host, authorization: "Bearer demo-task-token" } })).code, 40_100);
  for (let tries = 0; tries < 12; tries += 1) await as("another");
  assert.deepEqual([await as("demo-task-token"), await as("another")], [42_901, 42_901]);
  await world.clock.advance(61_000);
  assert.equal(await as("demo-task-token"), 0);
});

test("[docs] the port describes its tasks by the same tables, for programs and for readers", async (t) => {
  const { store } = await givenPglite(t);
  const { engine, local } = await givenTasks(t, store, { start: false });
  const app = createFarmServer({
    engine,
    log: silentLog,
    allowedHosts: [],
    token: null,
    tasks: { ...local, plan: "Pro", taskToken: undefined, concurrency: 1, now: () => 0, url: () => "http://127.0.0.1:50809" },
  });
  t.after(async () => app.close());
  const { paths, servers } = (await app.inject({ url: "/openapi.json", headers: { host } })).json<{
    paths: Record<string, Record<string, unknown>>;
    servers: { url: string }[];
  }>();
  assert.equal(servers[0]?.url, "http://127.0.0.1:50809");
  for (const { method, path } of Object.values(taskRoutes))
    assert.ok(paths[`/api/v1${path.replace(":id", "{id}")}`]?.[method.toLowerCase()], path);
  const page = await app.inject({ url: "/docs", headers: { host } });
  assert.match(page.headers["content-type"] as string, /text\/html/);
  assert.match(page.body, /\/api\/v1\/task\/retry-all/);
  assert.match(page.body, /40301/);
});

test("[hosts] [token] an address that can't be read is answered as any other: by host, word and envelope", async (t) => {
  const { store } = await givenPglite(t);
  const { ask } = await givenTasks(t, store, { start: false, server: { taskToken: "demo-task-token" } });
  for (const path of ["/task/%zz", `/task/${"1".repeat(101)}`, "/%zz/task"]) {
    const as = async (headers: InjectOptions["headers"]) => {
      const { status, code, data } = await ask("GET", path, undefined, { headers: { host, ...headers } });
      return [status, code, data];
    };
    assert.deepEqual(await as({ authorization: "Bearer demo-task-token" }), [404, 40_401, null], path);
    assert.deepEqual(await as({}), [401, 40_100, null], path);
    assert.deepEqual(await as({ host: "evil.example.com" }), [403, 40_300, null], path);
    assert.deepEqual(await as({ origin: "https://evil.example.com" }), [403, 40_300, null], path);
  }
  assert.equal((await ask("GET", "/account/%zz", undefined, { headers: { host, authorization: "Bearer demo-task-token" } })).code, 40_100);
  assert.equal((await ask("GET", "/account/%zz", undefined, asFolder)).code, 40_401);
});

test("[hosts] a page at another port of this machine is another page", async (t) => {
  const { store } = await givenPglite(t);
  const { engine, local } = await givenTasks(t, store, { start: false });
  const tasks = { ...local, plan: "Pro", taskToken: undefined, concurrency: 1, now: () => 0, url: () => "" } as const;
  const app = createFarmServer({ engine, log: silentLog, allowedHosts: ["farm.example.com"], token: null, tasks });
  t.after(async () => app.close());
  const as = async (asked: string, origin: string) =>
    (await app.inject({ url: "/api/v1/task/stats", headers: { host: asked, origin } })).statusCode;
  assert.deepEqual([await as(host, "http://127.0.0.1:3000"), await as(host, "http://localhost"), await as(host, "null")], [403, 403, 403]);
  assert.equal(await as(host, `http://${host}`), 200);
  assert.equal(await as("[::1]:50809", "http://[::1]:50809"), 200);
  // Behind a proxy that ends TLS, with and without the name that was asked for.
  assert.equal(await as("farm.example.com", "https://farm.example.com"), 200);
  assert.equal(await as(host, "https://farm.example.com"), 200);
  assert.equal(await as(host, "https://farm.example.com:8443"), 403);
});

test("[token] what the farm does, and who is signed in, is for who has TASK_TOKEN where there is one", async (t) => {
  const { store } = await givenPglite(t);
  const { ask } = await givenTasks(t, store, { start: false, server: { taskToken: "demo-task-token", plan: "Starter" } });
  for (const path of ["/farm/status", "/farm/sessions"]) {
    const as = async (word: string) =>
      (await ask("GET", path, undefined, { headers: { host, ...(word && { authorization: `Bearer ${word}` }) } })).code;
    assert.deepEqual([await as(""), await as("another"), await as("demo-task-token"), await as(FOLDER_WORD)], [40_100, 40_100, 0, 0], path);
  }
});

test("[T10] whoever can read the data folder may call whatever the plan, with TASK_TOKEN and without", async (t) => {
  const { store } = await givenPglite(t);
  const { engine, local } = await givenTasks(t, store, { start: false });
  for (const taskToken of [undefined, "demo-task-token"]) {
    const tasks = { ...local, plan: "Starter", taskToken, concurrency: 1, now: () => 0, url: () => "" } as const;
    const app = createFarmServer({ engine, log: silentLog, allowedHosts: [], token: FOLDER_WORD, tasks });
    t.after(async () => app.close());
    const as = async (word: string) =>
      (await app.inject({ url: "/api/v1/task/stats", headers: { host, authorization: `Bearer ${word}` } })).json<{ code: number }>().code;
    assert.deepEqual([await as(FOLDER_WORD), await as("demo-task-token")], [0, 40_301]);
  }
});
