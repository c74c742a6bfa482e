import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../src/kit/clock.ts";
import { DeadlineError, withDeadline } from "../../src/kit/deadline.ts";
import { parseRetryAfter, requestJson } from "../../src/kit/http.ts";

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

test("any status is an answer, with its body and its Retry-After", async (t) => {
  const url = await serve(t, (_request, response) =>
    response
      .writeHead(429, { "content-type": "application/json; charset=utf-8", "retry-after": "7" })
      .end('{"success":false,"message":"chậm lại"}'),
  );
  const answer = await requestJson(url);
  assert.deepEqual([answer.status, answer.body, answer.retryAfterMs], [429, { success: false, message: "chậm lại" }, 7000]);
});

test("JSON is sent as JSON; what is not JSON comes back as text", async (t) => {
  const url = await serve(t, (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () =>
      response
        .writeHead(200, { "content-type": request.url === "/broken" ? "application/json" : "text/html" })
        .end(`${request.method} ${request.headers["content-type"]} ${body}`),
    );
  });
  assert.equal((await requestJson(url, { method: "PUT", json: { a: 1 } })).body, 'PUT application/json {"a":1}');
  assert.equal((await requestJson(`${url}/broken`)).body, "GET undefined ");
});

test("a server that does not answer, or stops in the middle, costs no more than the deadline", async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === "/half") response.writeHead(200, { "content-type": "application/json" }).write('{"a":');
  });
  for (const path of ["/never", "/half"]) {
    const startedAt = performance.now();
    await assert.rejects(requestJson(url + path, { deadlineMs: 200 }));
    assert.ok(performance.now() - startedAt < 5000);
  }
  await assert.rejects(requestJson(url, { signal: AbortSignal.timeout(100) }));
});

test("an answer that unpacks without end is cut off", async (t) => {
  const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024));
  const url = await serve(t, (_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
  await assert.rejects(requestJson(url), /longer than 64 MB/);
});

test("Retry-After: seconds or a date, never the past, nonsense is none", () => {
  const now = Date.parse("2026-11-21T00:00:00Z");
  const cases: [string | null, number | null][] = [
    ["120", 120_000],
    [" 0.5 ", 500],
    ["0", 0],
    ["Sat, 21 Nov 2026 00:01:00 GMT", 60_000],
    ["Fri, 20 Nov 2026 00:01:00 GMT", 0],
    [null, null],
    ["", null],
    ["-5", null],
    ["soon 5", null],
    ["0x10", null],
    ["Infinity", null],
  ];
  for (const [value, expected] of cases) assert.equal(parseRetryAfter(value, now), expected, String(value));
});

test("a wait ends with its work, its failure, or its reason", async () => {
  assert.equal(await withDeadline(1000, "x", async () => 5), 5);
  await assert.rejects(
    withDeadline(1000, "x", async () => {
      throw new Error("own");
    }),
    /own/,
  );
  let aborted: unknown;
  await assert.rejects(
    withDeadline(20, "the upload", async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      aborted = signal.reason;
    }),
    (error) => error instanceof DeadlineError && error.message === "the upload took longer than 0.0 s",
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(aborted instanceof DeadlineError);
  assert.equal(await withDeadline(1e12, "x", async () => new Promise<string>((resolve) => setTimeout(resolve, 20, "long"))), "long");
});

test("a sleep ends early by its signal, without an error, and a very long one does not end at once", async () => {
  const startedAt = systemClock.monotonic();
  await systemClock.sleep(60_000, AbortSignal.timeout(20));
  await systemClock.sleep(1e12, AbortSignal.timeout(50));
  const took = systemClock.monotonic() - startedAt;
  assert.ok(took > 50 && took < 10_000, `${took} ms`);
});
