import assert from "node:assert/strict";
import { systemClock } from "../../../src/kit/clock.ts";
import { forgetUnusedAssets } from "../../../src/studio/media/unused-assets.ts";
import type { StudioTables } from "../../../src/studio/schema.ts";
import { signedIn, wav } from "../support.ts";
import { settled, withPodops, type PodopsScene } from "./support.ts";

const DAY_MS = 86_400_000;

const recordingOf = async (scene: PodopsScene, production: string): Promise<string> =>
  /<enclosure url="([^"]*)"/.exec(await scene.feed(production))?.[1] ?? "";

withPodops("a recording that was replaced, and never built, is in no feed once its asset is forgotten", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const maya = await signedIn(scene.studio);
  const episode = await maya.draft({ title: "Tea", fileName: "web.wav" });
  await maya.publish(episode);
  await scene.upload(guid, "better.wav", wav(3));
  await settled(scene, `/a/v1/resource/${guid}/asset/better.wav`);
  const before = await recordingOf(scene, guid);
  const json = { description: { title: "Tea" }, enclosure: { uri: "better.wav" } };
  assert.equal((await scene.call("PUT", `/a/v1/resource/${guid}/episode/${episode}`, { json })).status, 201);
  assert.equal(await recordingOf(scene, guid), before, "nobody has built it");
  const db = scene.given.store.part<StudioTables>("studio");
  await forgetUnusedAssets({ db, clock: { ...systemClock, now: () => Date.now() + 8 * DAY_MS } });
  assert.notEqual(await recordingOf(scene, guid), before);
  assert.equal((await fetch(await recordingOf(scene, guid))).status, 200);
});

withPodops("a recording whose asset is deleted is in no feed", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "cup-of-tea");
  await scene.build(guid);
  await scene.upload(guid, "better.wav", wav(3));
  await settled(scene, `/a/v1/resource/${guid}/asset/better.wav`);
  const before = await recordingOf(scene, guid);
  const json = { description: { title: "Tea" }, enclosure: { uri: "better.wav" } };
  assert.equal((await scene.call("PUT", `/a/v1/resource/${guid}/episode/cup-of-tea`, { json })).status, 201);
  assert.equal(await recordingOf(scene, guid), before, "nobody has built it");
  assert.equal((await scene.call("DELETE", `/a/v1/resource/${guid}/asset/cup-of-tea.wav`)).status, 204);
  assert.notEqual(await recordingOf(scene, guid), before);
});
