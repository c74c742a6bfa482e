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

test("a recording that comes again while the first one is listened to is ready, too", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const recording = wav(20);
  const lane = async (name: string): Promise<unknown[]> => {
    const guids: unknown[] = [];
    for (let take = 0; take < 10; take += 1) guids.push((await maya.upload("audio", `${name}-${take}.wav`, recording)).json["guid"]);
    return guids;
  };
  const guids = (await Promise.all(["first", "second", "third", "fourth"].map(lane))).flat();
  const states = await Promise.all(guids.map(async (guid) => (await maya.settled(guid))["state"]));
  assert.deepEqual(new Set(states), new Set(["ready"]));
});
