import assert from "node:assert/strict";
import { createServer as createPlainServer } from "node:http";
import { test, type TestContext } from "node:test";
import { request } from "undici";
import { UsageError } from "../../src/kit/config.ts";
import { createLog } from "../../src/kit/log.ts";
import { checkHost, createServer, listen, type ServerOptions } from "../../src/kit/server.ts";

const log = createLog({ level: "silent", format: "json" });

async function start(t: TestContext, options: Partial<ServerOptions> = {}, allowed: string[] = []): Promise<string> {
  const app = createServer({ log, ...options });
  checkHost(app, allowed, () => ({ code: 403, body: { message: "wrong host" } }));
  app.get("/", async () => "page");
  const listening = await listen(app, { host: "127.0.0.1", port: 0, setting: "TASK_PORT" });
  t.after(async () => listening.close());
  return listening.url;
}

async function statusAs(url: string, host: string, path = "/"): Promise<number> {
  const { statusCode, body } = await request(url + path, { headers: { host } });
  await body.dump();
  return statusCode;
}

test("loopback names and allowed names are answered, with any port; others are not", async (t) => {
  const url = await start(t, {}, ["Studio.Example.com"]);
  for (const host of [
    "127.0.0.1",
    "localhost",
    "LOCALHOST:1234",
    "[::1]:8700",
    "studio.example.com",
    "studio.example.com:443",
    new URL(url).host,
  ])
    assert.equal(await statusAs(url, host), 200, host);
  for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "xstudio.example.com", "127.0.0.1:80:80"])
    assert.equal(await statusAs(url, host), 403, host);
});

test("health is answered under any name, nothing beside it", async (t) => {
  const url = await start(t);
  assert.equal(await statusAs(url, "10.0.0.7", "/healthz"), 200);
  assert.equal(await statusAs(url, "10.0.0.7", "/readyz"), 200);
  assert.equal(await statusAs(url, "10.0.0.7", "/healthz/../"), 403);
});

test("not ready says what is waited for; a probe that fails or hangs is a reason too", async (t) => {
  const url = await start(t, {
    ready: {
      fine: () => null,
      manager: () => "does not answer",
      broken: () => {
        throw new Error("boom");
      },
      hanging: async () => new Promise<null>(() => {}),
    },
  });
  const { statusCode, body } = await request(`${url}/readyz`);
  assert.equal(statusCode, 503);
  assert.deepEqual(await body.json(), {
    status: "waiting",
    waiting: { manager: "does not answer", broken: "boom", hanging: "the probe took longer than 2.0 s" },
  });
});

test("a taken port and a foreign address are one sentence each", async (t) => {
  const other = createPlainServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const usage = (text: string) => (error: unknown) => error instanceof UsageError && error.message === text;
  await assert.rejects(
    listen(createServer({ log }), { host: "127.0.0.1", port, setting: "STUDIO_PORT" }),
    usage(`Port ${port} on 127.0.0.1 is taken by another program. Stop it, or choose another port: STUDIO_PORT=${port + 1}`),
  );
  await assert.rejects(
    listen(createServer({ log }), { host: "192.0.2.1", port: 0, setting: "STUDIO_PORT" }),
    usage("HOST=192.0.2.1 is not an address of this machine. Use 127.0.0.1 or 0.0.0.0."),
  );
});
