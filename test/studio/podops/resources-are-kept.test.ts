import assert from "node:assert/strict";
import { wav } from "../support.ts";
import { withPodops, type PodopsScene } from "./support.ts";

const description = { title: "A cup of tea", summary: "On tea." };
const enclosure = { uri: "tea.wav" };

async function given(scene: PodopsScene): Promise<string> {
  const guid = await scene.production("slow-mornings");
  assert.equal((await scene.upload(guid, "tea.wav", wav(1))).status, 201);
  return guid;
}

withPodops("[P3] [P4] a production is made once for its owner, however often it is asked for", async ({ call }) => {
  const first = await call("POST", "/a/v1/production", { json: { name: "slow-mornings", title: "Slow" } });
  const again = await call("POST", "/a/v1/production", { json: { name: "slow-mornings", title: "Another" } });
  assert.deepEqual([first.status, again.status, again.body], [201, 201, first.body]);
  const other = await call("POST", "/a/v1/production", { json: { name: "fast-evenings" } });
  assert.equal(other.body.title, "fast-evenings");
  assert.deepEqual((await call("GET", "/a/v1/productions")).body, { productions: [first.body, other.body] });
  assert.deepEqual((await call("GET", "/a/v1/resource/slow-mornings/all")).body, { resources: [] }, "its show is made apart");
});

withPodops("[P4] a production is deleted with all that is its own; the history stays", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "a-cup-of-tea");
  assert.equal((await scene.build(guid)).status, 201);
  const gone = await scene.call("DELETE", "/a/v1/production/slow-mornings");
  assert.deepEqual([gone.status, gone.text], [204, ""]);
  assert.equal((await scene.call("DELETE", `/a/v1/production/${guid}`)).status, 404);
  assert.equal((await fetch(`${scene.studio.url}/feeds/slow-mornings.xml`)).status, 404);
  assert.equal((await scene.studio.history()).length, 1);
  assert.notEqual(await scene.production("slow-mornings"), guid, "the name is free");
});

withPodops("[P7] [P8] [f] POST makes and PUT replaces; the other way round only by force", async (scene) => {
  const guid = await given(scene);
  const path = `/a/v1/resource/${guid}/episode/a-cup-of-tea`;
  const json = { description, enclosure };
  const missing = await scene.call("PUT", path, { json });
  assert.deepEqual(
    [missing.status, missing.body.errors],
    [400, [{ path: "", message: "there is none as yet; POST makes it, ?f=true as well" }]],
  );
  const made = await scene.call("POST", path, { json });
  assert.equal(made.status, 201);
  const again = await scene.call("POST", path, { json });
  assert.deepEqual(
    [again.status, again.body.errors],
    [400, [{ path: "", message: "there is one already; PUT replaces it, ?f=true as well" }]],
  );
  const changed = await scene.call("PUT", path, { json: { description: { title: "Two cups" }, enclosure } });
  assert.deepEqual([changed.status, changed.body.description.title, changed.body.description.summary], [201, "Two cups", ""]);
  assert.equal(changed.body.metadata.guid, made.body.metadata.guid);
  assert.equal(changed.body.metadata.date, made.body.metadata.date, "without a date it keeps its own");
  assert.equal((await scene.call("POST", `${path}?f=true`, { json })).body.description.title, "A cup of tea");
  assert.equal((await scene.call("POST", `${path}?f=false`, { json })).status, 400);
  assert.equal((await scene.call("POST", `${path}?f=perhaps`, { json })).status, 400);
  const forced = await scene.call("PUT", `/a/v1/resource/${guid}/episode/111122223333?f=true`, { json });
  assert.deepEqual([forced.status, forced.body.metadata.guid, forced.body.metadata.name], [201, "111122223333", "episode-111122223333"]);
  assert.equal((await scene.call("GET", `/a/v1/resource/${guid}/episode/episode-111122223333`)).status, 200);
});

withPodops("[P5] [P6] [kinds] kinds have aliases, and lists take all of them", async (scene) => {
  const guid = await given(scene);
  const episode = await scene.call("POST", `/a/v1/resource/${guid}/episodes/a-cup-of-tea`, {
    json: { kind: "episodes", description, enclosure },
  });
  assert.equal(episode.status, 201, episode.text);
  const read = async (kind: string, id: string) => (await scene.call("GET", `/a/v1/resource/slow-mornings/${kind}/${id}`)).body;
  assert.deepEqual(await read("episode", "a-cup-of-tea"), episode.body);
  assert.deepEqual(await read("episodes", episode.body.metadata.guid), episode.body);
  const [show, asset] = [await read("shows", guid), await read("assets", "tea.wav")];
  assert.deepEqual(await read("show", "slow-mornings"), show);
  const cover = await read("asset", show.image.guid);
  const list = async (kind: string) => (await scene.call("GET", `/a/v1/resource/${guid}/${kind}`)).body.resources;
  assert.deepEqual(await list("all"), [show, episode.body, asset, cover]);
  assert.deepEqual([await list("shows"), await list("show")], [[show], [show]]);
  assert.deepEqual([await list("episodes"), await list("episode")], [[episode.body], [episode.body]]);
  assert.deepEqual(
    [await list("assets"), await list("asset")],
    [
      [asset, cover],
      [asset, cover],
    ],
  );
  for (const kind of ["all", "episode", "asset", "show"])
    assert.equal((await scene.call("GET", `/a/v1/resource/${guid}/${kind}/nothing-here`)).status, 404);
  assert.equal((await scene.call("GET", `/a/v1/resource/${guid}/films`)).status, 404);
  assert.equal((await scene.call("GET", "/a/v1/resource/nothing-here/all")).status, 404);
});

withPodops("[P9] what is deleted is gone, and an asset that is in use stays", async (scene) => {
  const guid = await given(scene);
  const path = `/a/v1/resource/${guid}`;
  const made = await scene.call("POST", `${path}/episode/a-cup-of-tea`, { json: { description, enclosure } });
  const held = await scene.call("DELETE", `${path}/asset/tea.wav`);
  assert.deepEqual([held.status, held.body.errors], [400, [{ path: "", message: `${made.body.metadata.guid} points to it` }]]);
  assert.equal((await scene.build(guid)).status, 201);
  assert.match(await scene.feed(guid), /A cup of tea/);
  const gone = await scene.call("DELETE", `${path}/episode/a-cup-of-tea`);
  assert.deepEqual([gone.status, gone.text], [204, ""]);
  assert.doesNotMatch(await scene.feed(guid), /A cup of tea/);
  assert.equal((await scene.call("DELETE", `${path}/episode/a-cup-of-tea`)).status, 404);
  assert.equal((await scene.call("DELETE", `${path}/asset/tea.wav`)).status, 204);
  assert.equal((await scene.call("DELETE", `${path}/show/slow-mornings`)).status, 204);
  assert.equal((await scene.call("GET", `${path}/show/slow-mornings`)).status, 404);
  assert.equal((await scene.studio.history()).length, 1, "the history stays");
});

withPodops("[P8] what is published keeps its GUID, its address and its place in the feed when it is changed", async (scene) => {
  const guid = await given(scene);
  const path = `/a/v1/resource/${guid}/episode/a-cup-of-tea`;
  await scene.call("POST", path, { json: { description, enclosure } });
  await scene.build(guid);
  const before = (await scene.call("GET", path)).body;
  const guids = (feed: string) => [...feed.matchAll(/<guid[^>]*>([^<]*)</g)].map(([, one]) => one);
  const known = guids(await scene.feed(guid));
  const changed = await scene.call("PUT", path, { json: { description: { title: "Two cups" }, enclosure } });
  assert.deepEqual(
    [changed.status, changed.body.state, changed.body.metadata.guid, changed.body.metadata.date, changed.body.description.link],
    [201, "published", before.metadata.guid, before.metadata.date, before.description.link],
  );
  await scene.build(guid);
  const feed = await scene.feed(guid);
  assert.match(feed, /Two cups/);
  assert.deepEqual(guids(feed), known);
  assert.equal((await scene.studio.history()).length, 1, "it was published once");
  const back = await scene.call("PUT", path, {
    json: { metadata: { labels: { draft: "true" }, date: 4_000_000_000 }, description, enclosure },
  });
  assert.deepEqual(
    back.body.errors.map((one: { path: string }) => one.path),
    ["metadata.labels.draft", "metadata.date"],
  );
  const name = async (own: string | undefined) =>
    scene.call("PUT", path, { json: { metadata: { labels: { guid: own } }, description, enclosure } });
  const other = await name("another-one");
  assert.deepEqual([other.status, other.body.errors?.[0].path], [400, "metadata.labels.guid"], "players would take it for a new one");
  assert.equal((await name(known[0])).status, 201);
  await scene.build(guid);
  assert.deepEqual(guids(await scene.feed(guid)), known);
});

withPodops("[P15] dates are taken as unix seconds and as RFC 1123, and answered as RFC 1123", async (scene) => {
  const guid = await given(scene);
  const dated = async (name: string, date: unknown) => {
    const answer = await scene.call("POST", `/a/v1/resource/${guid}/episode/${name}`, {
      json: { metadata: { date }, description, enclosure },
    });
    return answer.status === 201 ? answer.body.metadata.date : answer.status;
  };
  const said = "Sat, 21 Nov 2020 07:00:00 GMT";
  assert.deepEqual(
    [await dated("episode-one", 1_605_942_000), await dated("episode-two", "1605942000"), await dated("episode-3rd", said)],
    [said, said, said],
  );
  assert.equal(await dated("episode-4th", "Sat, 21 Nov 2020 08:00:00 +0100"), said);
  assert.deepEqual([await dated("episode-5th", -1), await dated("episode-6th", "soon"), await dated("episode-7th", 1.5)], [400, 400, 400]);
});

withPodops("[P5] labels are kept as they are sent; numbers and truths become texts", async (scene) => {
  const guid = await given(scene);
  const labels = { season: 3, explicit: true, block: "yes", guid: "https://example.com/?p=1", mood: "calm", count: 7 };
  const { body } = await scene.call("POST", `/a/v1/resource/${guid}/episode/a-cup-of-tea`, {
    json: { metadata: { labels, tags: "tea, morning" }, description, enclosure },
  });
  assert.deepEqual(body.metadata.labels, {
    season: "3",
    explicit: "true",
    block: "yes",
    guid: "https://example.com/?p=1",
    mood: "calm",
    count: "7",
  });
  assert.deepEqual(body.metadata.tags, ["tea", "morning"]);
  const twin = await scene.call("POST", `/a/v1/resource/${guid}/episode/another-cup`, {
    json: { metadata: { labels: { guid: labels.guid } }, description, enclosure },
  });
  assert.deepEqual(twin.body.errors, [{ path: "metadata.labels.guid", message: "is another episode's of this show" }]);
  await scene.build(guid);
  assert.match(await scene.feed(guid), /<guid isPermaLink="false">https:\/\/example.com\/\?p=1<\/guid>/);
});

withPodops("[P7] of many who make the same resource at once, one does", async (scene) => {
  const guid = await given(scene);
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () =>
      scene.call("POST", `/a/v1/resource/${guid}/episode/a-cup-of-tea`, { json: { description, enclosure } }),
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 400, 400, 400, 400, 400, 400, 400]);
  assert.equal((await scene.call("GET", `/a/v1/resource/${guid}/episodes`)).body.resources.length, 1);
});
