import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { givenShow, givenStudio, showName, signedIn } from "./support.ts";

test("addresses with NUL characters or climbing out of their folder are answered 404, not 500", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  for (const path of [
    "/s/a%00b",
    `/e/${showName}/a%00`,
    "/feeds/a%00.xml",
    "/media/..%2f..%2fstudio.json",
    "/media/%2e%2e/db.lock",
    "/assets/..%2f..%2f..%2fpackage.json",
  ])
    assert.equal((await fetch(studio.url + path, { redirect: "manual" })).status, 404, path);
});

test("NUL characters in a form or a search are refused, not broken on", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  assert.equal((await maya.get(`/shows/${showName}/episodes?search=a%00b`)).status, 400);
  assert.equal((await maya.call("POST", `/shows/${showName}/episodes`, { title: "a\0b" })).status, 400);
});

test("a call whose session has ended hears just that", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const answer = await fetch(`${studio.url}/shows/${showName}/episodes`, { method: "POST", headers: { accept: "application/json" } });
  assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [401, "sessionEnded"]);
});
