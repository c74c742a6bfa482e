import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../../src/worker/verdict.ts";

const noAnswer = (error: string) =>
  judge({ seen: 1, refused: 0, closed: "", sent: true, answer: null, error, leaked: 0 }, null, "", /\/login/).outcome.kind;

test("a connection that never came about sent nothing", () => {
  for (const error of [
    "connect ECONNREFUSED 127.0.0.1:9",
    "connect EHOSTUNREACH 10.0.0.1:443",
    "connect ETIMEDOUT 10.0.0.1:443",
    "getaddrinfo ENOTFOUND studio.example.com",
  ])
    assert.equal(noAnswer(`route.fetch: ${error}\nCall log:\n  - → POST https://studio.example.com/publish`), "unsent", error);
});

test("one that broke off after it stood may have: the route went down, and the answer with it", () => {
  for (const error of ["read EHOSTUNREACH", "read ENETUNREACH", "read ECONNREFUSED", "read ETIMEDOUT", "read ECONNRESET", "socket hang up"])
    assert.equal(noAnswer(`route.fetch: ${error}`), "unknown", error);
});
