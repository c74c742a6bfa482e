import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createLoginLimit } from "../../src/manager/people/login-limit.ts";
import { openManager } from "../../src/manager/manager.ts";
import { silentLog } from "../support/store.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

const MINUTE_MS = 60_000;
const owner = "owner@example.com";

function given() {
  let now = 1_000_000;
  const limit = createLoginLimit(() => now);
  const tries = (count: number, address: string, email: string) => Array.from({ length: count }, () => limit.take(address, email));
  return { limit, tries, pass: (ms: number) => (now += ms) };
}

test("an address may try an e-mail ten times in any minute, however it writes either", () => {
  const { limit, tries, pass } = given();
  assert.deepEqual(new Set(tries(9, "198.51.100.1", owner)), new Set([0]));
  pass(20_000);
  assert.equal(limit.take("::ffff:198.51.100.1", " Owner@Example.COM "), 0);
  assert.equal(limit.take("198.51.100.1", owner), MINUTE_MS - 20_000);
  assert.equal(limit.take("198.51.100.1", "other@example.com"), 0);
  assert.equal(limit.take("198.51.100.2", owner), 0);
  pass(40_000);
  assert.deepEqual(tries(10, "198.51.100.1", owner), [...Array.from({ length: 9 }, () => 0), 20_000]);
});

test("refused tries don't count: who goes on trying is let in when the minute is over", () => {
  const { tries, pass } = given();
  tries(10, "198.51.100.1", owner);
  for (let second = 1; second < 60; second += 1) {
    pass(1000);
    assert.ok(tries(5, "198.51.100.1", owner).every((waitMs) => waitMs > 0));
  }
  pass(1000);
  assert.equal(tries(1, "198.51.100.1", owner)[0], 0);
});

test("a right password forgets the tries of the pair", () => {
  const { limit, tries } = given();
  for (let round = 0; round < 9; round += 1) {
    assert.deepEqual(new Set(tries(10, "198.51.100.1", owner)), new Set([0]));
    limit.succeed("198.51.100.1", owner);
  }
});

test("an address may try a hundred e-mails a minute; an IPv6 customer has one address, whatever they write", () => {
  const { limit, tries, pass } = given();
  const spray = (address: (n: number) => string) => Array.from({ length: 101 }, (_, n) => limit.take(address(n), `user${n}@example.com`));
  assert.deepEqual(spray(() => "198.51.100.1").slice(-2), [0, MINUTE_MS]);
  assert.deepEqual(spray((n) => `2001:db8:1:2::${n.toString(16)}`).slice(-2), [0, MINUTE_MS]);
  assert.deepEqual(tries(1, "2001:db8:1:3::1", "user1@example.com"), [0]);
  pass(MINUTE_MS);
  assert.equal(limit.take("198.51.100.1", "user1@example.com"), 0);
});

test("many machines may try an e-mail a hundred times a minute; where its owner signed in before they still do", () => {
  const { limit, tries, pass } = given();
  const botnet = () => Array.from({ length: 30 }, (_, n) => tries(10, `203.0.113.${n}`, owner)).flat();
  limit.take("198.51.100.1", owner);
  limit.succeed("198.51.100.1", owner);
  for (let minute = 0; minute < 60 * 24; minute += 1) {
    pass(MINUTE_MS);
    assert.equal(botnet().filter((waitMs) => waitMs === 0).length, 100);
    assert.equal(limit.take("198.51.100.1", owner), 0);
  }
  assert.ok(limit.take("198.51.100.2", owner) > 0, "from a new address they wait like the others");
  pass(31 * 24 * 60 * MINUTE_MS);
  botnet();
  assert.ok(limit.take("198.51.100.1", owner) > 0, "an address of a month ago is new");
});

test("a flood of e-mails and addresses makes nobody forget who was tried just now, and costs no more than its share", () => {
  const { limit, tries } = given();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 50_000; n += 1) limit.take(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, `${"x".repeat(10_000)}${n}@example.com`);
  tries(10, "198.51.100.1", owner);
  for (let n = 0; n < 10_000; n += 1) limit.take(`11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, `user${n}@example.com`);
  assert.ok(limit.take("198.51.100.1", owner) > 0);
  globalThis.gc?.();
  const mib = (process.memoryUsage().heapUsed - before) / 1024 / 1024;
  assert.ok(mib < 200, `${mib} MiB`);
});

async function behindProxy(scene: OwnerScene, t: TestContext, trustedProxies: string[]) {
  const manager = await openManager({
    store: scene.store,
    vault: scene.vault,
    log: silentLog,
    config: { host: "127.0.0.1", port: 0, allowedHosts: [], trustedProxies },
    clock: scene.clock,
  });
  t.after(async () => manager.close());
  return async (from: string, email = scene.owner.email) => {
    const body = JSON.stringify({ email, password: "demo-of-last-year" });
    const headers = { "content-type": "application/json", "x-forwarded-for": from };
    const answer = await fetch(`${manager.url}/api/v1/auth/login`, { method: "POST", headers, body });
    const { code } = (await answer.json()) as { code: string };
    return { status: answer.status, code, retryAfter: answer.headers.get("retry-after") };
  };
}

withOwner("X-Forwarded-For counts for nothing unless a trusted proxy says it", async (scene, t) => {
  const [direct, proxied] = [await behindProxy(scene, t, []), await behindProxy(scene, t, ["127.0.0.0/8"])];
  const statuses = async (ask: typeof direct, from: (n: number) => string) => {
    const seen: number[] = [];
    for (let n = 0; n < 11; n += 1) seen.push((await ask(from(n))).status);
    return seen;
  };
  const ten = Array.from({ length: 10 }, () => 401);
  assert.deepEqual(await statuses(direct, (n) => `203.0.113.${n}`), [...ten, 429]);
  assert.deepEqual(await statuses(proxied, (n) => `203.0.113.${n}`), [...ten, 401]);
  // What a client claims stands before what the proxy adds.
  assert.deepEqual(await statuses(proxied, (n) => `203.0.113.${100 + n}, 198.51.100.7`), [...ten, 429]);
});

withOwner(
  "[sign-in] of a flood of sign-ins the manager looks at what it can; the rest is 503 with Retry-After, and other calls go on",
  async (scene, t) => {
    const ask = await behindProxy(scene, t, ["127.0.0.0/8"]);
    const answers = Promise.all(Array.from({ length: 200 }, async (_, n) => ask(`203.0.113.${n}`, `user${n}@example.com`)));
    assert.equal((await scene.api("GET", "/groups")).status, 200);
    const seen = await answers;
    const refused = seen.filter(({ status }) => status === 503);
    assert.ok(refused.length > 20, `${refused.length} of 200`);
    assert.ok(refused.every(({ code, retryAfter }) => code === "busy" && retryAfter === "5"));
    assert.ok(seen.every(({ status }) => status === 503 || status === 401));
    assert.ok(seen.some(({ status }) => status === 401));
  },
);

withOwner("signing in again and again with the right password is no attack", async (scene) => {
  for (let n = 0; n < 15; n += 1) await scene.login(scene.owner.email, scene.owner.password);
});
