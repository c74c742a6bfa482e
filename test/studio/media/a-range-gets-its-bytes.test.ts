import assert from "node:assert/strict";
import { request as openRequest, type IncomingHttpHeaders } from "node:http";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { askedRange } from "../../../src/studio/media/byte-range.ts";
import { givenPglite } from "../../support/store.ts";
import { givenShow, givenStudio, signedIn, wav } from "../support.ts";

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

type Ask = (headers?: Record<string, string>, method?: string) => Promise<Answer>;

/** A recording of 32,044 bytes on a studio; nothing between the test and the wire sets or hides a header. */
async function givenRecording(t: TestContext): Promise<{ ask: Ask; bytes: Buffer }> {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "The first morning" });
  await maya.publish(guid);
  const feed = await (await fetch(`${studio.url}/feeds/slow-mornings.xml`)).text();
  const url = /<enclosure url="([^"]+)"/.exec(feed)?.[1] ?? assert.fail(feed);
  const ask: Ask = async (headers = {}, method = "GET") => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const sent = openRequest(url, { method, headers, agent: false }, (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }), reject);
    });
    sent.on("error", reject).end();
    return promise;
  };
  return { ask, bytes: wav(2) };
}

test("a recording comes whole, in any part, and not again to who has it", async (t) => {
  const { ask, bytes } = await givenRecording(t);
  const size = bytes.length;
  const whole = await ask();
  assert.deepEqual([whole.status, whole.body.equals(bytes)], [200, true]);
  const { etag = "", "last-modified": date = "" } = whole.headers;
  assert.match(etag, /^"[0-9a-f]{32}"$/, "strong: named after the content");
  assert.deepEqual(
    [whole.headers["content-type"], whole.headers["content-length"], whole.headers["accept-ranges"], whole.headers["cache-control"]],
    ["audio/wav", String(size), "bytes", "public, max-age=31536000, immutable"],
  );
  const head = await ask({}, "HEAD");
  assert.deepEqual(
    [head.status, head.headers["content-length"], head.headers["accept-ranges"], head.headers.etag, head.body.length],
    [200, String(size), "bytes", etag, 0],
  );

  await t.test("206 with just the bytes that were asked for", async () => {
    const parts: [string, number, number][] = [
      ["bytes=0-0", 0, 0],
      ["bytes=0-1", 0, 1],
      ["bytes=1000-1999", 1000, 1999],
      ["bytes=32000-", 32_000, size - 1],
      ["bytes=-44", size - 44, size - 1],
      ["bytes=0-999999999999", 0, size - 1],
      ["bytes=-999999999999", 0, size - 1],
      ["BYTES= 5-6 ", 5, 6],
    ];
    for (const [range, start, end] of parts) {
      const { status, headers, body } = await ask({ range });
      assert.deepEqual(
        [status, headers["content-range"], headers["content-length"], headers["content-type"], headers.etag],
        [206, `bytes ${start}-${end}/${size}`, String(end - start + 1), "audio/wav", etag],
        range,
      );
      assert.ok(body.equals(bytes.subarray(start, end + 1)), range);
    }
  });

  await t.test("a range past the end is 416 with the size; one that is none is as if it were not there; HEAD has none", async () => {
    for (const range of [`bytes=${size}-`, "bytes=999999-1000000", "bytes=-0"]) {
      const { status, headers, body } = await ask({ range });
      assert.deepEqual([status, headers["content-range"], body.length], [416, `bytes */${size}`, 0], range);
    }
    for (const range of ["bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "items=0-1", "bytes=0-1, 4-5", "bytes 0-1"])
      assert.deepEqual([(await ask({ range })).status, (await ask({ range })).body.length], [200, size], range);
    const head = await ask({ range: "bytes=0-1" }, "HEAD");
    assert.deepEqual([head.status, head.headers["content-length"]], [200, String(size)]);
  });

  await t.test("If-Range: the part when the copy is the same, the whole when it is another or can't be known", async () => {
    const range = "bytes=0-1";
    for (const [given, status] of [
      [etag, 206],
      [date, 206],
      [`W/${etag}`, 200],
      ['"another"', 200],
      [new Date(0).toUTCString(), 200],
      ["nonsense", 200],
    ] as const)
      assert.equal((await ask({ range, "if-range": given })).status, status, given);
  });

  await t.test("304 by ETag or date, with what a cache needs and without a body", async () => {
    for (const headers of [
      { "if-none-match": etag },
      { "if-none-match": `W/${etag}` },
      { "if-none-match": `"a", ${etag}` },
      { "if-none-match": "*" },
      { "if-modified-since": date },
      { "if-none-match": etag, "if-modified-since": new Date(0).toUTCString() },
      { "if-none-match": etag, range: "bytes=0-1" },
    ] as Record<string, string>[])
      for (const method of ["GET", "HEAD"]) {
        const answer = await ask(headers, method);
        assert.deepEqual([answer.status, answer.headers.etag, answer.body.length], [304, etag, 0], JSON.stringify(headers));
        assert.match(answer.headers["cache-control"] ?? "", /immutable/);
      }
    for (const headers of [
      { "if-none-match": '"another"' },
      { "if-none-match": '"another"', "if-modified-since": date },
      { "if-modified-since": new Date(0).toUTCString() },
      { "if-modified-since": "yesterday" },
    ] as Record<string, string>[])
      assert.equal((await ask(headers)).status, 200, JSON.stringify(headers));
  });

  await t.test("412 when it is not the file that was meant", async () => {
    for (const [headers, status] of [
      [{ "if-match": '"another"' }, 412],
      [{ "if-match": `W/${etag}` }, 412],
      [{ "if-match": etag }, 200],
      [{ "if-match": "*" }, 200],
      [{ "if-unmodified-since": new Date(0).toUTCString() }, 412],
      [{ "if-unmodified-since": date }, 200],
    ] as [Record<string, string>, number][])
      assert.equal((await ask(headers)).status, status, JSON.stringify(headers));
  });
});

test("many readers of parts put the whole together", async (t) => {
  const { ask, bytes } = await givenRecording(t);
  const step = 997;
  const starts = Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) => index * step);
  const parts = await Promise.all(starts.map(async (start) => (await ask({ range: `bytes=${start}-${start + step - 1}` })).body));
  assert.ok(Buffer.concat(parts).equals(bytes));
});

test("every range of a small file is read by the rules", () => {
  const size = 3;
  for (let first = 0; first <= 4; first += 1)
    for (let last = 0; last <= 4; last += 1) {
      const wanted = last < first ? "whole" : first >= size ? "unsatisfiable" : { start: first, end: Math.min(last, size - 1) };
      assert.deepEqual(askedRange(`bytes=${first}-${last}`, size), wanted, `${first}-${last}`);
    }
});
