import assert from "node:assert/strict";
import { test } from "node:test";
import { givenCrew } from "./crew.ts";
import { siteWithClock } from "./site.ts";

/** More than the two minutes that the wiki forgives. */
const AHEAD_SECONDS = 300;

test("where a code is refused because a clock is wrong, the failure says how far, and nothing more is sent", async (t) => {
  const { wiki, start, ask, ended } = await givenCrew(t, siteWithClock(AHEAD_SECONDS));
  await start();
  const task = await ended(await ask(await wiki.member("Maya"), "Out of time"));
  assert.deepEqual([task.state, task.failureCode], ["failed", "totp.refused"], task.errorMessage);
  const said = /the site's clock is (\d+) s ahead of this machine's/.exec(task.errorMessage);
  assert.ok(Math.abs(Number(said?.[1]) - AHEAD_SECONDS) <= 5, task.errorMessage);
  assert.deepEqual(
    (await wiki.submits()).map(({ kind }) => kind),
    ["password", "code"],
  );
});
