import assert from "node:assert/strict";
import { test } from "node:test";
import { urlHere } from "../../src/kit/url-here.ts";

test("a listener at an IPv6 address, or at all addresses, is asked at one that works in a URL", () => {
  assert.deepEqual(
    ["::1", "0.0.0.0", "::", "farm.example.com"].map((host) => urlHere(host, 80)),
    ["http://[::1]:80", "http://127.0.0.1:80", "http://127.0.0.1:80", "http://farm.example.com:80"],
  );
});
