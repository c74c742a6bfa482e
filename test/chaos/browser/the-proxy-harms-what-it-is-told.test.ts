import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { Agent, request } from "undici";
import { Borders } from "../support/http-borders.ts";
import { openTcpProxy, type Fault, type TcpProxy } from "../support/tcp-proxy.ts";

interface Given {
  proxy: TcpProxy;
  /** What the server behind it handled. */
  handled: string[];
  post(path: string): Promise<string>;
}

/** A server that writes down what it handles, the proxy, and a client with one kept-alive connection. */
async function given(t: TestContext): Promise<Given> {
  const handled: string[] = [];
  const server = createServer((incoming, answer) => {
    let body = "";
    incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
    incoming.on("end", () => {
      handled.push(`${incoming.method} ${incoming.url} ${body}`);
      answer.writeHead(200, { "content-type": "text/plain" });
      // In two pieces: chunked.
      answer.write("done ");
      answer.end(incoming.url);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await openTcpProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const agent = new Agent({ connections: 1 });
  t.after(async () => {
    await agent.destroy();
    await proxy.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    proxy,
    handled,
    async post(path) {
      const answer = await request(`${proxy.url}${path}`, {
        method: "POST",
        body: "hello",
        dispatcher: agent,
        signal: AbortSignal.timeout(700),
      });
      return answer.body.text();
    },
  };
}

test("without a fault everything comes through, also many requests on one connection", async (t) => {
  const { proxy, handled, post } = await given(t);
  for (const path of ["/1", "/2", "/3"]) assert.equal(await post(path), `done ${path}`);
  assert.deepEqual(handled, ["POST /1 hello", "POST /2 hello", "POST /3 hello"]);
  assert.deepEqual(
    proxy.passages.map(({ line, reused, reached }) => [line, reused, reached]),
    [
      ["POST /1", false, true],
      ["POST /2", true, true],
      ["POST /3", true, true],
    ],
  );
});

/** [fault, does the site hear of it, what the client sees: an answer or an error] */
const faults: [Fault, boolean, RegExp | null][] = [
  [{ kind: "refuse", forMs: 200 }, false, /ECONNRESET|other side closed/],
  [{ kind: "reset before" }, false, /ECONNRESET|other side closed/],
  [{ kind: "reset after" }, true, /ECONNRESET|other side closed/],
  [{ kind: "black hole" }, false, /timeout/i],
  [{ kind: "cut", afterBytes: 20 }, true, /ECONNRESET|other side closed|terminated/],
  [{ kind: "slow", overMs: 300 }, true, null],
  [{ kind: "twice" }, true, null],
  [{ kind: "drop" }, true, /other side closed/],
];

for (const [fault, reaches, error] of faults)
  test(`"${fault.kind}" hits the request it is meant for, once, and ${reaches ? "after" : "before"} the site hears of it`, async (t) => {
    const { proxy, handled, post } = await given(t);
    proxy.harm(/^POST \/2$/, fault);
    await post("/1");
    const began = performance.now();
    if (error) await assert.rejects(post("/2"), error);
    else assert.equal(await post("/2"), "done /2");
    if (fault.kind === "slow") assert.ok(performance.now() - began >= 280, "it took its time");
    assert.equal(handled.includes("POST /2 hello"), reaches);
    assert.deepEqual(
      proxy.passages
        .filter(({ fault: hit }) => hit !== null)
        .map(({ line, fault: hit, reached, reused }) => ({ line, hit, reached, reused })),
      [{ line: "POST /2", hit: fault.kind, reached: reaches, reused: true }],
    );
    if (fault.kind === "refuse") {
      await assert.rejects(post("/3"), /ECONNREFUSED/);
      while (performance.now() - began < 300) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // After a surplus answer the client throws the connection away and may need a try to notice.
    if (fault.kind === "twice") await post("/3").catch(() => undefined);
    assert.equal(await post("/4"), "done /4", "afterwards all is well");
  });

test("messages are cut at their borders, however the bytes arrive", () => {
  const bytes = Buffer.from(
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end",
  );
  const borders = new Borders({ untilClose: true, bodyless: (line) => line.includes(" 204 ") });
  const lengths: number[] = [];
  for (const byte of bytes) lengths.push(...borders.push(Buffer.from([byte])).map((message) => message.bytes.length));
  const last = borders.end();
  assert.deepEqual([...lengths, last?.bytes.length], [41, 59, 27, 29]);
  assert.equal(last?.bytes.toString().endsWith("to the end"), true);
});
