import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { addSecret, pinSecrets, redact } from "../../src/kit/redact.ts";

const anySecret = (): string => randomBytes(12).toString("base64url");
const giveMany = (count: number): void => {
  for (let index = 0; index < count; index += 1) addSecret(anySecret());
};

test("after many thousand secrets the newest are masked, and memory is bounded", () => {
  const secrets = Array.from({ length: 12_000 }, anySecret);
  const [first = ""] = secrets;
  for (const secret of secrets) addSecret(secret);
  assert.equal(redact(`said ${secrets.at(-1)} aloud`), "said [secret] aloud");
  assert.equal(redact(`said ${secrets.at(-4900)} aloud`), "said [secret] aloud");
  assert.equal(redact(`said ${first} aloud`), `said ${first} aloud`, "the oldest is forgotten, or the list would grow for ever");
});

test("a secret that is given again stays", () => {
  const kept = anySecret();
  for (let index = 0; index < 12_000; index += 1) {
    addSecret(anySecret());
    if (index % 1000 === 0) addSecret(kept);
  }
  assert.equal(redact(kept), "[secret]");
});

test("a pinned secret stays however many others are given, until its last pin is taken out", () => {
  const [known, fresh] = [anySecret(), anySecret()];
  addSecret(known);
  const [unpin, unpinAgain] = [pinSecrets(known, fresh, null, undefined, "", "abc"), pinSecrets(fresh)];
  giveMany(5100);
  addSecret(known);
  giveMany(5100);
  assert.equal(redact(`${known} ${fresh} abc`), "[secret] [secret] abc");

  unpin();
  unpin();
  assert.equal(redact(`${known} ${fresh}`), "[secret] [secret]", "it is the newest of the others now");
  giveMany(5100);
  assert.equal(redact(`${known} ${fresh}`), `${known} [secret]`, "the second pin still holds the other one");
  unpinAgain();
  giveMany(5100);
  assert.equal(redact(fresh), fresh);
});

test("one secret that is forgotten leaves another that looks like a form of it", () => {
  const start = anySecret();
  const inUrls = `${start}%2Fend`;
  addSecret(inUrls);
  pinSecrets(`${start}/end`);
  giveMany(5100);
  assert.equal(redact(`?q=${inUrls}&`), "?q=[secret]&");
});
