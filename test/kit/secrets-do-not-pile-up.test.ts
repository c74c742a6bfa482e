import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { addSecret, redact } from "../../src/kit/redact.ts";

test("after many thousand secrets the newest are masked, and memory is bounded", () => {
  const secrets = Array.from({ length: 25_000 }, () => randomBytes(12).toString("base64url"));
  const [first = ""] = secrets;
  for (const secret of secrets) addSecret(secret);
  assert.equal(redact(`said ${secrets.at(-1)} aloud`), "said [secret] aloud");
  assert.equal(redact(`said ${secrets.at(-4900)} aloud`), "said [secret] aloud");
  assert.equal(redact(`said ${first} aloud`), `said ${first} aloud`, "the oldest is forgotten, or the list would grow for ever");
});

test("a secret that is given again stays", () => {
  const kept = randomBytes(12).toString("base64url");
  for (let index = 0; index < 30_000; index += 1) {
    addSecret(randomBytes(12).toString("base64url"));
    if (index % 1000 === 0) addSecret(kept);
  }
  assert.equal(redact(kept), "[secret]");
});
