import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { createServer } from "../../src/kit/server.ts";
import { serveRoutes } from "../../src/manager/api/serve.ts";
import { silentLog } from "../support/store.ts";

const routes = {
  all: { method: "GET", path: "/all", summary: "All", needs: "open", streamed: true, answer: z.string() },
} as const;

/** @returns where `pieces` are served, and what broke */
async function serve(t: TestContext, pieces: () => AsyncIterable<string>): Promise<{ url: string; broken: unknown[] }> {
  const app = createServer({ log: silentLog });
  const broken: unknown[] = [];
  await app.register(async (scope) =>
    serveRoutes(
      scope,
      routes,
      { all: async () => ({ format: "csv" as const, pieces: pieces() }) },
      {
        identify: async () => ({ tenant: null, email: "", reveals: false }),
        onBroken: (thrown) => void broken.push(thrown),
      },
    ),
  );
  t.after(async () => app.close());
  return { url: `${await app.listen({ host: "127.0.0.1", port: 0 })}/all`, broken };
}

/** The answer, of which nothing is read. */
async function open(url: string): Promise<IncomingMessage> {
  const call = request(url).end();
  call.on("error", () => {});
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  answer.on("error", () => {});
  return answer;
}

test("a streamed answer comes whole and with its type", async (t) => {
  const { url } = await serve(t, async function* () {
    yield "a\r\n";
    yield "đ\r\n";
  });
  const answer = await fetch(url);
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "text/csv; charset=utf-8"]);
  assert.equal(await answer.text(), "a\r\nđ\r\n");
});

test("no more is made than the caller takes, and nothing for one who went away", async (t) => {
  const made = { pieces: 0 };
  const ended = Promise.withResolvers<void>();
  const piece = "x".repeat(65_536);
  const { url, broken } = await serve(t, async function* () {
    try {
      for (;;) {
        made.pieces += 1;
        // As a query would, it lets others go on.
        await setImmediate();
        yield piece;
      }
    } finally {
      ended.resolve();
    }
  });
  const answer = await open(url);
  const whenFull = async (): Promise<number> => {
    for (let [before, turns] = [made.pieces, 0]; turns < 500; turns += 1) {
      await setImmediate();
      if (made.pieces !== before) [before, turns] = [made.pieces, 0];
    }
    return made.pieces;
  };
  const full = await whenFull();
  assert.ok(full < 800, `${full} pieces of 64 kB were made for somebody who read none`);
  answer.resume();
  while (made.pieces < full + 200) await setImmediate();
  answer.destroy();
  await ended.promise;
  assert.deepEqual(broken, []);
});

test("what breaks in the middle breaks the connection, and is told once", async (t) => {
  const error = new Error("the database went away");
  const { url, broken } = await serve(t, async function* () {
    yield "id\r\n1\r\n";
    throw error;
  });
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  await assert.rejects(answer.text(), /terminated/);
  assert.deepEqual(broken, [error]);
});

test("what breaks before the first piece is refused as anywhere", async (t) => {
  const error = new Error("the database went away");
  const { url, broken } = await serve(t, async function* () {
    await setImmediate();
    if (error.message) throw error;
    yield "";
  });
  const answer = await fetch(url);
  assert.equal(answer.status, 500);
  assert.deepEqual(((await answer.json()) as { code: string }).code, "internal");
  assert.deepEqual(broken, [error]);
});
