import assert from "node:assert/strict";
import { email, givenShow, givenStudio, picture, signedIn, wav } from "../support.ts";
import { givenPglite } from "../../support/store.ts";
import { test } from "node:test";
import { callOn, withPodops } from "./support.ts";

test("[one model] what is made in the web studio, the API shows, changes and builds", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  const maya = await signedIn(studio);
  const draft = await maya.draft({ title: "A cup of tea", about: "<p>On <strong>tea</strong>.</p>" });
  const { call, build, feed } = await callOn(studio, given);
  const { productions } = (await call("GET", "/a/v1/productions")).body;
  assert.deepEqual([productions.length, productions[0].name, productions[0].owner], [1, "slow-mornings", email]);
  const show = (await call("GET", "/a/v1/resource/slow-mornings/show/slow-mornings")).body;
  assert.deepEqual(
    [show.metadata.guid, show.description.title, show.description.category, show.image.state],
    [productions[0].guid, "Slow Mornings", { name: "Society & Culture", subcategory: [] }, "ready"],
  );
  const path = `/a/v1/resource/slow-mornings/episode/${draft}`;
  const made = (await call("GET", path)).body;
  assert.deepEqual(
    [made.state, made.metadata.labels, made.description.title, made.description.summary, made.enclosure.rel],
    ["draft", { draft: "true" }, "A cup of tea", "<p>On <strong>tea</strong>.</p>", "local"],
  );
  assert.deepEqual((await build("slow-mornings")).body.errors[0].path, "episode", "a draft is nothing to build");
  const { draft: _draft, ...labels } = made.metadata.labels;
  const { state: _state, ...resource } = made;
  const changed = await call("PUT", path, { json: { ...resource, metadata: { ...made.metadata, labels } } });
  assert.deepEqual([changed.status, changed.body.state], [201, "waiting"], changed.text);
  assert.equal((await build("slow-mornings")).status, 201);
  assert.match(await feed("slow-mornings"), /A cup of tea/);
  assert.match((await maya.get("/shows/slow-mornings/episodes")).text, /chip published/);
  const [entry] = await studio.history();
  assert.deepEqual([entry?.account, entry?.episode], [email, draft]);
});

withPodops("[one model] what is made by the API, the web studio shows and changes, and the API shows that", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const episode = await scene.episode(guid, "a-cup-of-tea", { summary: "First line\n\nSecond <line> & more" });
  const maya = await signedIn(scene.studio);
  assert.match((await maya.get("/dashboard")).text, /Slow Mornings/);
  const list = (await maya.get("/shows/slow-mornings/episodes")).text;
  assert.match(list, /A cup of tea/);
  const edit = (await maya.get(`/shows/slow-mornings/episodes/${episode}/edit`)).text;
  assert.match(edit, /a-cup-of-tea\.wav/);
  const path = `/a/v1/resource/${guid}/episode/a-cup-of-tea`;
  const before = (await scene.call("GET", path)).body;
  assert.equal(before.description.summary, "First line\n\nSecond <line> & more", "as it was sent");
  const saved = await maya.call("PUT", `/shows/slow-mornings/episodes/${episode}`, {
    title: "Two cups",
    about: "<p>Another text</p>",
    audio: before.enclosure.guid,
    cover: "",
  });
  assert.equal(saved.status, 200, saved.text);
  const after = (await scene.call("GET", path)).body;
  assert.deepEqual([after.description.title, after.description.summary], ["Two cups", "<p>Another text</p>"]);
  assert.deepEqual([after.metadata, after.state], [before.metadata, "waiting"]);
  await maya.get("/shows/slow-mornings/settings");
  const settings = { name: "slow-mornings", title: "Slow Evenings", language: "vi", category: "Arts", author: "M.", explicit: "yes" };
  assert.equal((await maya.submit("/shows/slow-mornings/settings", settings)).status, 302);
  const show = (await scene.call("GET", `/a/v1/resource/${guid}/show/${guid}`)).body;
  assert.deepEqual(
    [show.description.title, show.metadata.labels.language, show.metadata.labels.explicit, show.description.category],
    ["Slow Evenings", "vi", "true", { name: "Arts", subcategory: [] }],
  );
  assert.equal((await maya.publish(episode)).status, 200);
  assert.equal((await scene.call("GET", path)).body.state, "published");
  assert.equal((await scene.build(guid)).status, 201);
  assert.deepEqual(
    (await scene.studio.history()).map(({ outcome }) => outcome),
    ["published"],
  );
});

withPodops("[one model] [schedule] a time that was set in the web studio stays, also when the API changes the text", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const episode = await scene.episode(guid, "a-cup-of-tea");
  const maya = await signedIn(scene.studio);
  assert.equal((await maya.call("POST", `/shows/slow-mornings/episodes/${episode}/schedule`, { at: "2099-01-01T09:00" })).status, 200);
  const path = `/a/v1/resource/${guid}/episode/a-cup-of-tea`;
  const json = { description: { title: "Two cups" }, enclosure: { uri: "a-cup-of-tea.wav" } };
  const { body } = await scene.call("PUT", path, { json });
  assert.deepEqual([body.state, body.metadata.date, body.description.title], ["scheduled", "Thu, 01 Jan 2099 02:00:00 GMT", "Two cups"]);
  assert.match((await maya.get("/shows/slow-mornings/episodes")).text, /chip scheduled/);
});

withPodops("[one model] files are the same ones, whichever way they came", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const maya = await signedIn(scene.studio);
  const { json } = await maya.upload("cover", "cover.jpg", await picture(1400, 1400));
  assert.equal((await maya.call("PUT", "/shows/slow-mornings/cover", { cover: json["guid"] })).status, 200);
  const show = (await scene.call("GET", `/a/v1/resource/${guid}/show/${guid}`)).body;
  assert.equal(show.image.guid, json["guid"]);
  const { body } = await scene.upload(guid, "tea.wav", wav(1));
  const made = await maya.call("POST", "/shows/slow-mornings/episodes", { title: "By hand", audio: body.guid });
  const episode = (await scene.call("GET", `/a/v1/resource/${guid}/episode/${String(made.json["guid"])}`)).body;
  assert.deepEqual([episode.enclosure.guid, episode.enclosure.uri], [body.guid, body.uri]);
});

withPodops("[one model] a machine's voice is said in the feed, whoever says it, until somebody says otherwise", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "a-cup-of-tea", { summary: "On tea." });
  const path = `/a/v1/resource/${guid}/episode/a-cup-of-tea`;
  const put = async (labels: object | undefined): Promise<string> => {
    const { state: _state, metadata, ...resource } = (await scene.call("GET", path)).body;
    const { labels: known, ...rest } = metadata;
    const { narrated: _narrated, ...others } = known;
    const json = { ...resource, metadata: { ...rest, labels: { ...others, ...labels } } };
    assert.equal((await scene.call("PUT", path, { json })).status, 201);
    assert.equal((await scene.build(guid)).status, 201);
    return scene.feed("slow-mornings");
  };
  assert.doesNotMatch(await put({}), /ai-content/);
  const narrated = await put({ narrated: "true" });
  assert.match(narrated, /purpose="ai-content"/);
  assert.match(narrated, /<podcast:transcript /);
  assert.equal((await scene.call("GET", path)).body.metadata.labels.narrated, "true");
  assert.match(await put({}), /ai-content/, "what is not said again stays");
  assert.doesNotMatch(await put({ narrated: "false" }), /ai-content/);
});

withPodops(
  "[one model] a name that the API gave to a show is taken in the web studio, whatever its production is called",
  async (scene) => {
    await scene.call("POST", "/a/v1/production", { json: { name: "slow-mornings", title: "Slow Mornings" } });
    const json = { apiVersion: "v1", kind: "show", metadata: { name: "quiet-evenings" }, description: { title: "Quiet", summary: "S." } };
    const made = await scene.call("POST", "/a/v1/resource/slow-mornings/show/quiet-evenings", { json });
    assert.equal(made.status, 201, made.text);
    const account = await scene.studio.accounts.find(email);
    await assert.rejects(scene.studio.shows.create({ ownerId: account?.id ?? "", name: "quiet-evenings", title: "Mine" }), {
      name: "UsageError",
      message: /a show named quiet-evenings already/,
    });
    const { productions } = (await scene.call("GET", "/a/v1/productions")).body;
    assert.equal(productions.length, 1, "nothing of it is left");
  },
);
