import assert from "node:assert/strict";
import { test } from "node:test";
import type { StudioTables } from "../../../src/studio/schema.ts";
import { givenPglite } from "../../support/store.ts";
import { passTime, virtualClock } from "../../support/virtual-clock.ts";
import { email, wav } from "../support.ts";
import { openScene, withBackends, withPodops } from "./support.ts";

const items = (feed: string): string[] =>
  [...feed.matchAll(/<item>[\s\S]*?<title>(?:<!\[CDATA\[)?([^<\]]*)/g)].map(([, title = ""]) => title);

withPodops("[P10] [build] a production without a show or an episode is not built, and both are said", async ({ call, build }) => {
  const { body } = await call("POST", "/a/v1/production", { json: { name: "slow-mornings" } });
  for (const query of ["", "?v=true"]) {
    const answer = await call("POST", `/a/v1/build${query}`, { json: { guid: body.guid } });
    assert.deepEqual([answer.status, answer.body.errors.map((one: { path: string }) => one.path)], [400, ["show", "episode"]], query);
  }
  assert.equal((await build("nothing-here")).status, 404);
  assert.equal((await call("POST", "/a/v1/build", { json: {} })).status, 400);
});

withBackends("[P10] [build] one episode that is not fit keeps all of them back", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "episode-one");
  const { body } = await scene.call("POST", "/_t/import", { json: { guid, uri: "http://127.0.0.1:9/x.mp3" } });
  const enclosure = { uri: "http://127.0.0.1:9/x.mp3", rel: "import" };
  const two = await scene.call("POST", `/a/v1/resource/${guid}/episode/episode-two`, {
    json: { description: { title: "Two" }, enclosure },
  });
  assert.equal(two.body.enclosure.guid, body.guid);
  const refused = await scene.build(guid);
  assert.equal(refused.status, 400);
  assert.deepEqual(
    refused.body.errors.map((one: { path: string }) => one.path),
    ["episode.episode-two.enclosure"],
  );
  assert.deepEqual([await scene.studio.history(), items(await scene.feed(guid))], [[], []]);
  assert.equal((await scene.call("DELETE", `/a/v1/resource/${guid}/episode/episode-two`)).status, 204);
  assert.equal((await scene.build(guid)).status, 201);
  assert.equal((await scene.studio.history()).length, 1);
});

withPodops("[build] drafts are left out, the newest comes first, and what was built again is there once", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "episode-old", { title: "Old", date: 1_500_000_000 });
  await scene.episode(guid, "episode-new", { title: "New", date: 1_700_000_000 });
  await scene.episode(guid, "episode-draft", { title: "Draft", labels: { draft: "true" } });
  assert.equal((await scene.call("GET", `/a/v1/resource/${guid}/episode/episode-draft`)).body.state, "draft");
  await scene.build(guid);
  assert.deepEqual(items(await scene.feed(guid)), ["New", "Old"]);
  await scene.episode(guid, "episode-next", { title: "Next" });
  assert.deepEqual(items(await scene.feed(guid)), ["New", "Old"], "nothing is out before it is built");
  await scene.build(guid);
  assert.deepEqual(items(await scene.feed(guid)), ["Next", "New", "Old"]);
  assert.deepEqual(
    (await scene.studio.history()).map(({ title }) => title),
    ["Old", "New", "Next"],
  );
});

withPodops("[build] of builds at the same time each episode is published once", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.upload(guid, "tea.wav", wav(1));
  for (const name of ["episode-one", "episode-two", "episode-3rd"])
    await scene.call("POST", `/a/v1/resource/${guid}/episode/${name}`, {
      json: { description: { title: name }, enclosure: { uri: "tea.wav" } },
    });
  const built = await Promise.all(Array.from({ length: 5 }, async () => scene.build(guid)));
  assert.deepEqual(
    built.map(({ status }) => status),
    [201, 201, 201, 201, 201],
  );
  const history = await scene.studio.history();
  assert.deepEqual(history.map(({ title }) => title).sort(), ["episode-3rd", "episode-one", "episode-two"]);
  assert.equal(items(await scene.feed(guid)).length, 3);
});

test("[schedule] an episode of the future appears at its time, without another build", async (t) => {
  const clock = virtualClock(Date.parse("2026-11-21T08:00:00Z"));
  const scene = await openScene(t, await givenPglite(t), { clock });
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "episode-now", { title: "Now" });
  const path = `/a/v1/resource/${guid}/episode/episode-later`;
  await scene.episode(guid, "episode-later", { title: "Later", date: "Sat, 21 Nov 2026 09:00:00 GMT" });
  assert.equal((await scene.call("GET", path)).body.state, "waiting");
  const token = await scene.makeToken(["production:build", "resource:read", "resource:write"], { expires_in: 86_400 * 30 });
  assert.equal((await scene.call("POST", "/a/v1/build", { token, json: { guid } })).status, 201);
  assert.deepEqual(items(await scene.feed(guid)), ["Now"]);
  assert.equal((await scene.call("GET", path)).body.state, "scheduled");
  await clock.advance(59 * 60_000);
  assert.deepEqual(items(await scene.feed(guid)), ["Now"]);
  await passTime(clock, "it is out", async () => (await scene.studio.history()).length === 2, { stepMs: 15_000, limitMs: 5 * 60_000 });
  const feed = await scene.feed(guid);
  assert.deepEqual(items(feed), ["Later", "Now"]);
  assert.match(feed, /<pubDate>Sat, 21 Nov 2026 09:00:00 GMT<\/pubDate>/);
  assert.equal((await scene.studio.history())[1]?.account, email);
});

test("[schedule] a date that moves takes the episode with it; one that has passed waits for the next build", async (t) => {
  const clock = virtualClock(Date.parse("2026-11-21T08:00:00Z"));
  const scene = await openScene(t, await givenPglite(t), { clock });
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "episode-later", { title: "Later", date: "Sat, 21 Nov 2026 09:00:00 GMT" });
  await scene.build(guid);
  const path = `/a/v1/resource/${guid}/episode/episode-later`;
  const put = async (date: string) =>
    (
      await scene.call("PUT", path, {
        json: { metadata: { date }, description: { title: "Later" }, enclosure: { uri: "episode-later.wav" } },
      })
    ).body;
  assert.equal((await put("Sat, 21 Nov 2026 12:00:00 GMT")).state, "scheduled");
  await clock.advance(90 * 60_000);
  assert.equal((await scene.studio.history()).length, 0);
  assert.equal((await put("Sat, 21 Nov 2026 07:00:00 GMT")).state, "waiting");
  await clock.advance(60_000);
  assert.equal((await scene.studio.history()).length, 0);
  await scene.build(guid);
  assert.deepEqual(items(await scene.feed(guid)), ["Later"]);
});

test("[schedule] an episode that is due, and is changed before it is out, comes out without another build", async (t) => {
  const clock = virtualClock(Date.parse("2026-11-21T08:00:00Z"));
  const given = await givenPglite(t);
  const scene = await openScene(t, given, { clock });
  const guid = await scene.production("slow-mornings");
  const date = "Sat, 21 Nov 2026 09:00:00 GMT";
  await scene.episode(guid, "episode-later", { title: "Later", date });
  await scene.build(guid);
  // Its time comes, and nobody has looked yet.
  const due = { publish_at: new Date("2026-11-21T07:59:00Z") };
  await given.store.part<StudioTables>("studio").updateTable("episodes").set(due).execute();
  const path = `/a/v1/resource/${guid}/episode/episode-later`;
  const json = { description: { title: "Later on" }, enclosure: { uri: "episode-later.wav" } };
  const { body } = await scene.call("PUT", path, { json });
  assert.equal(body.state, "scheduled");
  await passTime(clock, "it is out", async () => (await scene.studio.history()).length === 1, { stepMs: 15_000, limitMs: 5 * 60_000 });
  assert.deepEqual(items(await scene.feed(guid)), ["Later on"]);
});
