import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { email, picture, signedIn, wav } from "../support.ts";
import { withBackends, withPodops } from "./support.ts";

withBackends("[P4] [P5] [P7] [P10] [P11] what the API makes is published by a build, and stands in the feed", async (scene) => {
  const { call, studio } = scene;
  const made = await call("POST", "/a/v1/production", { json: { name: "slow-mornings", title: "Slow Mornings", summary: "Unhurried." } });
  assert.equal(made.status, 201, made.text);
  const { guid } = made.body;
  assert.match(guid, /^[0-9a-f]{12}$/);
  assert.deepEqual(made.body, {
    guid,
    name: "slow-mornings",
    owner: email,
    title: "Slow Mornings",
    summary: "Unhurried.",
    published: false,
    latest_publish_date: 0,
    build_date: 0,
  });
  const cover = await picture(1400, 1400);
  assert.equal((await scene.upload(guid, "cover.jpg", cover)).status, 201);
  const show = {
    apiVersion: "v1",
    kind: "show",
    metadata: { name: "slow-mornings", guid, labels: { language: "vi", explicit: "false", type: "serial" } },
    description: {
      title: "Slow Mornings",
      summary: "Unhurried conversations.",
      link: { uri: "https://example.com/slow" },
      category: { name: "Society & Culture", subcategory: ["Documentary"] },
      owner: { name: "Maya Nguyễn", email: "owner@example.com" },
      author: "Maya",
      copyright: "© Maya",
    },
    image: { uri: "cover.jpg", rel: "local" },
  };
  const madeShow = await call("POST", `/a/v1/resource/${guid}/show/${guid}`, { json: show });
  assert.equal(madeShow.status, 201, madeShow.text);
  assert.deepEqual(madeShow.body.description, show.description);
  assert.equal(madeShow.body.metadata.guid, guid);
  const recording = wav(3);
  const uploaded = await scene.upload(guid, "tea.wav", recording);
  assert.equal(uploaded.status, 201, uploaded.text);
  const { guid: file, uri, etag, ...facts } = uploaded.body;
  assert.deepEqual(facts, { name: "tea.wav", type: "audio/wav", size: recording.length, duration: 3 });
  const episode = {
    apiVersion: "v1",
    kind: "episode",
    metadata: { name: "a-cup-of-tea", date: "Sat, 21 Nov 2020 07:00:00 GMT", labels: { season: "2", episode: "5" }, tags: ["tea"] },
    description: { title: "  A cup of tea", summary: "On <b>tea</b> & more.", duration: 3 },
    enclosure: { uri: "tea.wav", rel: "local" },
  };
  const madeEpisode = await call("POST", `/a/v1/resource/${guid}/episode/5f0c7d9e1a2b`, { json: episode });
  assert.equal(madeEpisode.status, 201, madeEpisode.text);
  assert.equal(madeEpisode.body.metadata.guid, "5f0c7d9e1a2b");
  assert.equal(madeEpisode.body.state, "waiting");
  const valid = await call("POST", "/a/v1/build?v=true", { json: { guid } });
  assert.deepEqual([valid.status, valid.body], [200, { valid: true }]);
  assert.equal((await studio.history()).length, 0, "a look publishes nothing");

  const built = await scene.build(guid);
  assert.deepEqual(
    [built.status, built.body],
    [201, { guid, feed: `${studio.url}/feeds/${guid}.xml`, alias: `${studio.url}/s/slow-mornings/feed.xml` }],
  );
  const alias = await call("GET", built.body.alias);
  assert.deepEqual([alias.status, alias.headers.get("location")], [307, built.body.feed]);
  const feed = await (await fetch(built.body.feed)).text();
  assert.match(feed, /<title>(<!\[CDATA\[)?A cup of tea/);
  assert.match(feed, /<pubDate>Sat, 21 Nov 2020 07:00:00 GMT<\/pubDate>/);
  assert.match(feed, /<guid isPermaLink="false">5f0c7d9e1a2b<\/guid>/);
  assert.match(feed, /<itunes:season>2<\/itunes:season>/);
  assert.ok(feed.includes(`url="${uri}"`), feed);
  assert.equal(feed, await scene.feed("slow-mornings"), "by the show's name it is the same");
  const served = await fetch(uri);
  assert.deepEqual([served.status, served.headers.get("etag")], [200, etag]);
  assert.deepEqual(Buffer.from(await served.arrayBuffer()), recording);

  const read = await call("GET", `/a/v1/resource/${guid}/episode/a-cup-of-tea`);
  const link = `${studio.url}/e/slow-mornings/a-cup-of-tea-5f0c7d9e1a2b`;
  assert.deepEqual(read.body, {
    apiVersion: "v1",
    kind: "episode",
    metadata: {
      name: "a-cup-of-tea",
      guid: "5f0c7d9e1a2b",
      parent: guid,
      date: "Sat, 21 Nov 2020 07:00:00 GMT",
      labels: { season: "2", episode: "5" },
      tags: ["tea"],
    },
    description: { title: "A cup of tea", summary: "On <b>tea</b> & more.", link: { uri: link }, duration: 3 },
    enclosure: { uri, rel: "local", type: "audio/wav", size: recording.length, duration: 3, guid: file, url: uri, state: "ready" },
    state: "published",
  });
  assert.equal((await fetch(link)).status, 200);
  const [entry, ...rest] = await studio.history();
  assert.deepEqual(rest, []);
  assert.deepEqual(
    [entry?.episode, entry?.account, entry?.outcome, entry?.link, entry?.audioFile],
    ["5f0c7d9e1a2b", email, "published", link, "tea.wav"],
  );
  const { body } = await call("GET", "/a/v1/productions");
  assert.equal(body.productions[0].published, true);
  assert.ok(Math.abs(body.productions[0].build_date - Date.now() / 1000) < 60);
});

withPodops("[P10] the same build again changes nothing: not a byte of the feed, not a line of the history", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "a-cup-of-tea");
  assert.equal((await scene.build(guid)).status, 201);
  const feed = await scene.feed(guid);
  assert.equal((await scene.build(guid)).status, 201);
  assert.equal(await scene.feed(guid), feed);
  assert.equal((await scene.studio.history()).length, 1);
  const visitor = await signedIn(scene.studio);
  assert.match((await visitor.get("/shows/slow-mornings/episodes")).text, /A cup of tea/);
  assert.equal(createHash("sha256").update(feed).digest("hex").length, 64);
});
