import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../../support/store.ts";
import { passTime, virtualClock } from "../../support/virtual-clock.ts";
import { memoryBucket } from "../media/memory-bucket.ts";
import { picture, signedIn, until, wav } from "../support.ts";
import { openScene, otherHost, settled } from "./support.ts";

/** What the feed says of the show's picture. */
const covers = (feed: string): (string | undefined)[] => [
  /<image>\s*<url>([^<]*)/.exec(feed)?.[1],
  /<itunes:image href="([^"]*)"/.exec(feed.split("<item>")[0] ?? "")?.[1],
];

test("[import] a show keeps its cover until the one that is fetched has come", async (t) => {
  const held = Promise.withResolvers<void>();
  const cover = await picture(1400, 1400);
  const host = await otherHost(t, (_request, response) => void held.promise.then(() => response.end(cover)));
  const scene = await openScene(t, await givenPglite(t), { config: { allowPrivate: [host.host] } });
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "a-cup-of-tea");
  assert.equal((await scene.build(guid)).status, 201);
  const path = `/a/v1/resource/${guid}/show/${guid}`;
  const before = (await scene.call("GET", path)).body.image.url as string;
  assert.deepEqual(covers(await scene.feed(guid)), [before, before]);
  const description = { title: "Slow Evenings" };
  const put = await scene.call("PUT", path, { json: { description, image: { uri: `${host.url}/cover.jpg`, rel: "import" } } });
  assert.deepEqual([put.status, put.body.image.state], [202, "waiting"]);
  const maya = await signedIn(scene.studio);
  await maya.get("/shows/slow-mornings/settings");
  const settings = { name: "slow-mornings", title: "Slow Evenings", language: "vi", category: "Arts", author: "M." };
  assert.equal((await maya.submit("/shows/slow-mornings/settings", settings)).status, 302);
  const feed = await scene.feed(guid);
  assert.deepEqual([covers(feed), /<title>Slow Evenings/.test(feed)], [[before, before], true]);
  assert.ok((await maya.get("/s/slow-mornings")).text.includes(`content="${before}"`));
  assert.deepEqual((await scene.build(guid)).body.errors, [{ path: "show.image", message: "is still to be fetched" }]);
  assert.equal((await scene.call("DELETE", `/a/v1/resource/${guid}/asset/${put.body.image.guid}`)).status, 400, "the show waits for it");
  held.resolve();
  const { image } = await settled(scene, path);
  assert.deepEqual([image.guid, image.state], [put.body.image.guid, "ready"]);
  assert.deepEqual(covers(await scene.feed(guid)), [image.url, image.url]);
  assert.equal((await scene.build(guid)).status, 201);
});

test("[import] the feed of a show whose first cover is still on its way names none", async (t) => {
  const host = await otherHost(t, () => undefined);
  const scene = await openScene(t, await givenPglite(t), { config: { allowPrivate: [host.host] } });
  await scene.call("POST", "/a/v1/production", { json: { name: "slow-mornings" } });
  const json = { description: { title: "Slow Mornings" }, image: { uri: `${host.url}/cover.jpg`, rel: "import" } };
  const made = await scene.call("POST", "/a/v1/resource/slow-mornings/show/slow-mornings", { json });
  assert.deepEqual([made.status, made.body.image.state], [202, "waiting"]);
  assert.deepEqual(covers(await scene.feed("slow-mornings")), [undefined, undefined]);
  assert.doesNotMatch(await (await fetch(`${scene.studio.url}/s/slow-mornings`)).text(), /og:image/);
});

test("[import] a media store that is away for however long keeps nothing from being fetched in the end", async (t) => {
  const clock = virtualClock();
  const bucket = await memoryBucket(t);
  const host = await otherHost(t, (_request, response) => void response.end(wav(1)));
  const scene = await openScene(t, await givenPglite(t), { clock, config: { ...bucket.config, allowPrivate: [host.host] } });
  const guid = await scene.production("slow-mornings");
  bucket.puts = "refuse";
  const before = bucket.asked();
  const { body } = await scene.call("POST", "/_t/import", { json: { guid, uri: `${host.url}/tea.wav`, name: "tea.wav" } });
  const file = async () => (await scene.call("GET", `/a/v1/resource/${guid}/asset/${body.guid}`)).body.enclosure;
  const tried = async () => bucket.asked() - before > 9 || (await file()).state === "failed";
  await passTime(clock, "it was tried ten times", tried, { stepMs: 20_000 });
  const { state, problem } = await file();
  assert.deepEqual([state, problem], ["waiting", "the media store answered 403 AccessDenied"]);
  bucket.release();
  await passTime(clock, "it is here", async () => (await file()).state === "ready", { stepMs: 20_000, limitMs: 5 * 60_000 });
});

test("[P7] while a media store takes its time with a show's drawn cover, everybody else goes on", async (t) => {
  const bucket = await memoryBucket(t);
  const scene = await openScene(t, await givenPglite(t), { config: bucket.config });
  await scene.call("POST", "/a/v1/production", { json: { name: "slow-mornings" } });
  bucket.puts = "hold";
  const json = { description: { title: "Slow Mornings" } };
  const making = scene.call("POST", "/a/v1/resource/slow-mornings/show/slow-mornings", { json });
  await until("the cover is on its way", async () => bucket.asked() > 0);
  const headers = { authorization: `Bearer ${scene.token}` };
  const others = fetch(`${scene.studio.url}/a/v1/productions`, { headers, signal: AbortSignal.timeout(20_000) });
  await assert.doesNotReject(others);
  bucket.release();
  const { status, body } = await making;
  assert.deepEqual([status, body.image.state], [201, "ready"]);
});
