import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword, nobodysHash, PasswordsBusy, verifyPassword } from "../../src/kit/passwords.ts";

test("a password is known by its hash, in any normal form, and nobody's hash by none", async () => {
  const hash = await hashPassword("demo-Caf\u00e9-password");
  assert.match(hash, /^argon2id\$19456\$2\$1\$/);
  assert.equal(await verifyPassword("demo-Cafe\u0301-password", hash), true);
  assert.equal(await verifyPassword("demo-password", hash), false);
  assert.equal(await verifyPassword("", nobodysHash), false);
  assert.equal(nobodysHash.split("$").slice(0, 4).join("$"), hash.split("$").slice(0, 4).join("$"), "it costs as much");
});

test("of a burst of sign-ins a hundred wait for their turns, the rest is refused at once, and none for good", async () => {
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10);
  const tries = Array.from({ length: 400 }, async () => verifyPassword("demo-password", nobodysHash));
  const refused = await Promise.race([Promise.allSettled(tries.slice(102)), Promise.allSettled(tries)]);
  assert.ok(refused.every((one) => one.status === "rejected" && one.reason instanceof PasswordsBusy && one.reason.retryAfterMs > 0));
  assert.equal(refused.length, 298);
  const ended = await Promise.allSettled(tries.slice(0, 102));
  clearInterval(timer);
  assert.ok(ended.slice(0, 10).every((one) => one.status === "fulfilled" && !one.value));
  assert.ok((most - before) / 1024 / 1024 < 200, `${(most - before) / 1024 / 1024} MiB more`);
  assert.equal(await verifyPassword("demo-password", nobodysHash), false, "afterwards there is room again");
});
