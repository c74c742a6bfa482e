import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { givenShow, givenStudio, signedIn, wav } from "./support.ts";

test("one recording uploaded many times at once is ready every time", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const recording = wav(20);
  for (let round = 0; round < 4; round += 1) {
    const uploads = await Promise.all(Array.from({ length: 6 }, async (_, index) => maya.upload("audio", `take-${index}.wav`, recording)));
    const states = await Promise.all(uploads.map(async ({ json }) => (await maya.settled(json["guid"]))["state"]));
    assert.deepEqual(new Set(states), new Set(["ready"]));
  }
});
