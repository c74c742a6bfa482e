import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { backoffMs } from "../../src/coordinator/backoff.ts";
import { markerOf } from "../../src/coordinator/marker.ts";
import { findSite, hostOf, servedHosts } from "../../src/coordinator/sites.ts";
import { card } from "../support/scripted-worker.ts";

test("a marker is ep- and the Base32 of the first 80 bits of the hash", () => {
  const bits = [...createHash("sha256").update("studio:a\ne1").digest().subarray(0, 10)]
    .map((byte) => byte.toString(2).padStart(8, "0"))
    .join("");
  const expected = (bits.match(/.{5}/g) ?? []).map((five) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(five, 2)]).join("");
  assert.equal(markerOf("studio:a", "e1"), `ep-${expected}`);
  assert.match(markerOf("studio:b", "e1"), /^ep-[a-z2-7]{16}$/);
});

test("a host is found by its driver's card or by the sites map; loopback speaks http", () => {
  assert.equal(hostOf(" https://Studio.Example.com:443/a?b "), "studio.example.com");
  assert.deepEqual(findSite("Studio.Example.com", [card], {}), { card, host: "studio.example.com", origin: "https://studio.example.com" });
  assert.equal(findSite("127.0.0.1:8710", [card], { "127.0.0.1:8710": { driver: "scripted" } })?.origin, "http://127.0.0.1:8710");
  assert.equal(
    findSite("pod.example.com", [card], { "pod.example.com": { driver: "scripted", origin: "http://10.0.0.1:80/" } })?.origin,
    "http://10.0.0.1:80",
  );
  assert.equal(findSite("pod.example.com", [card], { "pod.example.com": { driver: "unknown" } }), null);
  assert.equal(findSite("other.example.com", [card], {}), null);
  assert.deepEqual(servedHosts([card], { "pod.example.com": { driver: "scripted" }, "x.example.com": { driver: "unknown" } }), [
    "studio.example.com",
    "pod.example.com",
  ]);
});

test("the back-off grows from a second to five minutes and never beyond", () => {
  assert.deepEqual(
    [0, 1, 5, 9, 100].map((attempt) => backoffMs(attempt, () => 1)),
    [1000, 2000, 32_000, 300_000, 300_000],
  );
  assert.equal(
    backoffMs(0, () => 0),
    500,
  );
});
