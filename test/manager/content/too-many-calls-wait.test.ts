import assert from "node:assert/strict";
import { test } from "node:test";
import { createRateLimit } from "../../../src/manager/content/rate-limit.ts";
import { samples } from "./media-samples.ts";
import { withContent } from "./support.ts";

test("[rate limit] no second, wherever it begins, has more than 1,000 calls", () => {
  let now = 1_000_000;
  const limit = createRateLimit(() => now);
  const passed: number[] = [];
  for (const end = now + 5000; now < end; now += 1) for (let call = 0; call < 3; call += 1) if (limit.take("a") === 0) passed.push(now);
  const fullest = Math.max(...passed.map((from) => passed.filter((at) => at >= from && at < from + 1000).length));
  assert.equal(fullest, 1000);
  assert.equal(passed.length, 5000, "and no fewer get through than may");
});

test("[rate limit] a second's calls may come at once; the next one is told when there is room", () => {
  let now = 1_000_000;
  const limit = createRateLimit(() => now);
  const takes = (caller: string, times: number): number[] => Array.from({ length: times }, () => limit.take(caller));
  assert.deepEqual(new Set(takes("a", 1000)), new Set([0]));
  assert.deepEqual([limit.take("a"), limit.take("a")], [1000, 1000]);
  assert.equal(limit.take("b"), 0);
  now += 999;
  assert.equal(limit.take("a"), 1);
  now += 1;
  assert.deepEqual(takes("a", 1001), [...Array.from({ length: 1000 }, () => 0), 1000]);
  // A clock that was set back gives nothing at once, and goes on from there.
  now -= 30_000;
  assert.equal(limit.take("a"), 1000);
  now += 1000;
  assert.equal(limit.take("a"), 0);
});

test("[rate limit] whoever asks slowly never waits, however many there are", () => {
  let now = 0;
  const limit = createRateLimit(() => now, 2);
  for (let second = 0; second < 30_000; second += 1) {
    now += 1000;
    assert.deepEqual([limit.take("steady"), limit.take("steady"), limit.take(`caller ${second}`)], [0, 0, 0]);
    if (second % 1000 === 0) assert.equal(limit.take("steady"), 1000);
  }
});

withContent(
  "[rate limit] the 1,001st call of a second is 429 for that caller alone",
  async ({ api, addKey, owner, upload, make, clock }) => {
    const [busy, other] = [await addKey(["content:read"]), await addKey(["content:read"])];
    const { url } = await upload(samples.png, "a.png");
    const { id } = await make();
    const ask = async (as: Readonly<Record<string, string>>) => (await api("GET", "/content/get-by-id/x", { as })).status;
    const statuses: number[] = [];
    for (let batch = 0; batch < 40; batch += 1) statuses.push(...(await Promise.all(Array.from({ length: 25 }, async () => ask(busy)))));
    assert.deepEqual([statuses.length, [...new Set(statuses)]], [1000, [404]]);
    for (const path of ["/content/get-by-id/x", `/content/get-by-id/${id}`, "/content", "/tags", "/media"]) {
      const { status, body, headers } = await api("GET", path, { as: busy });
      assert.deepEqual([status, body.success, body.code, headers.get("retry-after")], [429, false, "too_many", "1"], path);
    }
    assert.equal((await api("GET", "/content", { as: { "x-api-key": "wrong" } })).status, 401);
    for (const as of [other, owner.as]) assert.equal(await ask(as), 404);
    assert.equal((await fetch(url, { headers: busy })).status, 200);
    clock.forwardMinutes(1);
    assert.equal((await api("GET", "/content", { as: busy })).status, 200);
  },
);
