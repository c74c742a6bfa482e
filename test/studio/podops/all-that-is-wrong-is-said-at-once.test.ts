import assert from "node:assert/strict";
import { picture, signedIn, wav } from "../support.ts";
import { withPodops } from "./support.ts";

const paths = (body: { errors: { path: string }[] }): string[] => body.errors.map(({ path }) => path).sort();

withPodops("[P16] [validation] all that is wrong with an episode is said at once, its files as well", async (scene) => {
  const { call } = scene;
  const guid = await scene.production("slow-mornings");
  await scene.upload(guid, "cover.jpg", await picture(1400, 1400));
  const broken = {
    apiVersion: "v7",
    kind: "episode",
    metadata: {
      name: "no good",
      parent: "0123456789ab",
      date: "some day",
      labels: { season: "two", episode: -1, explicit: "perhaps", type: "serial", draft: "maybe" },
    },
    description: { title: " ", summary: 5, link: { uri: "ftp://example.com" }, duration: -1 },
    image: { uri: "nothing.jpg" },
    enclosure: { uri: "cover.jpg", rel: "local" },
  };
  const answer = await call("POST", `/a/v1/resource/${guid}/episode/a-cup-of-tea`, { json: broken });
  assert.equal(answer.status, 400, answer.text);
  assert.deepEqual(Object.keys(answer.body).sort(), ["errors", "message", "status"]);
  assert.deepEqual(paths(answer.body), [
    "apiVersion",
    "description.duration",
    "description.link.uri",
    "description.summary",
    "description.title",
    "metadata.date",
    "metadata.labels.draft",
    "metadata.labels.episode",
    "metadata.labels.explicit",
    "metadata.labels.season",
    "metadata.labels.type",
    "metadata.name",
  ]);
  const files = { description: { title: "A cup of tea" }, image: { uri: "nothing.jpg" }, enclosure: { uri: "cover.jpg" } };
  const both = await call("POST", `/a/v1/resource/${guid}/episode/a-cup-of-tea`, {
    json: { ...files, metadata: { parent: "0123456789ab", guid: "0123456789ab", name: "another-name" } },
  });
  assert.deepEqual(paths(both.body), ["enclosure.uri", "image.uri", "metadata.name", "metadata.parent"]);
  assert.deepEqual((await call("GET", `/a/v1/resource/${guid}/episodes`)).body, { resources: [] }, "nothing of it is kept");
});

withPodops("[validation] all that is wrong with a show is said at once", async ({ call }) => {
  const { body } = await call("POST", "/a/v1/production", { json: { name: "slow-mornings" } });
  const json = {
    kind: "episode",
    metadata: { name: "Slow", guid: "000000000000", labels: { language: "English", type: "daily", complete: "perhaps" } },
    description: { summary: "", category: [{ name: "Tea" }], owner: { email: "nobody" }, newFeed: { uri: "x" } },
    image: { uri: "cover.jpg", rel: "elsewhere" },
  };
  const answer = await call("POST", `/a/v1/resource/${body.guid}/show/${body.guid}`, { json });
  assert.equal(answer.status, 400);
  assert.deepEqual(paths(answer.body), [
    "description.newFeed.uri",
    "description.owner.email",
    "description.title",
    "image.rel",
    "kind",
    "metadata.labels.complete",
    "metadata.labels.language",
    "metadata.labels.type",
    "metadata.name",
  ]);
  const category = { description: { title: "Slow", category: [{ name: "Tea" }] } };
  const wrong = await call("POST", `/a/v1/resource/${body.guid}/show/000000000000`, { json: category });
  assert.deepEqual(paths(wrong.body), ["description.category.name", "metadata.guid"]);
});

withPodops("[P14] names have 8 to 44 characters of a-z, 0-9, - and _", async ({ call }) => {
  const make = async (name: unknown) => (await call("POST", "/a/v1/production", { json: { name } })).status;
  for (const name of [
    "sevench",
    "x".repeat(45),
    "Slow-Mornings",
    "slow mornings",
    "slow.mornings",
    "chuyện-sáng",
    "",
    12345678,
    null,
    "000000000000",
  ])
    assert.equal(await make(name), 400, String(name));
  for (const name of ["eight_ch", "x".repeat(44), "0123-4567_89"]) assert.equal(await make(name), 201, name);
});

withPodops("[bodies] what is no JSON, holds a NUL or is too large is refused", async ({ call }) => {
  const post = async (body: string) => call("POST", "/a/v1/production", { body });
  const answers = [await post("{broken"), await post('{"name":"\\u0000"}'), await post("[]"), await post("5"), await post("")];
  for (const { status, body } of answers) assert.deepEqual([status, body.status], [400, 400], body.message);
  const large = await post(`{"name":"${"x".repeat(1024 * 1024)}"}`);
  assert.deepEqual([large.status, large.body], [413, { status: 413, message: "The body is larger than 1 MiB." }]);
  assert.equal((await call("GET", "/a/v1/resource/%zz/all", { token: "" })).status, 401);
  for (const path of [
    "/a/v1/resource/%zz/all",
    `/a/v1/resource/${"x".repeat(300)}/all`,
    "/a/v1/nothing",
    "/_a/nothing",
    "/_t/nothing",
    "/a/v1/resource/slow-mornings/nothing/x",
  ]) {
    const { status, body } = await call("GET", path);
    assert.deepEqual([status, body.status], [404, 404], path);
  }
});

withPodops("[validation] notes have up to 20,000 characters as they are sent, however many links and lines are in them", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const link = '<a href="https://example.com/tea">tea</a><br>';
  const summary = `<p>${link.repeat(200)}</p>`;
  const longest = `${summary}<p>${"x".repeat(20_000 - summary.length - 7)}</p>`;
  const id = await scene.episode(guid, "a-cup-of-tea", { summary: longest });
  const maya = await signedIn(scene.studio);
  const { body } = await scene.call("GET", `/a/v1/resource/${guid}/episode/${id}`);
  const fields = (about: string) => ({ title: "Tea", about, audio: body.enclosure.guid });
  const put = async (about: string) => (await maya.call("PUT", `/shows/slow-mornings/episodes/${id}`, fields(about))).status;
  assert.deepEqual([body.description.summary, await put(longest)], [longest, 200]);
  assert.equal(await put(`${longest}x`), 422);
});

withPodops("[validation] a show's guid is a UUID, an episode's is as the feed will say it: never two of one", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.upload(guid, "tea.wav", wav(1));
  const show = async (label: string) =>
    scene.call("PUT", `/a/v1/resource/${guid}/show/${guid}`, {
      json: { metadata: { labels: { guid: label } }, description: { title: "Slow Mornings" } },
    });
  for (const label of ["a\u0001b", "some-guid", "917393e3-1b1e-5cef-ace4-edaa54e1f81", " 917393e3-1b1e-5cef-ace4-edaa54e1f810"])
    assert.deepEqual([label, paths((await show(label)).body)], [label, ["metadata.labels.guid"]]);
  assert.equal((await show("917393e3-1b1e-5cef-ace4-edaa54e1f810")).status, 201);
  const episode = async (name: string, label: string) =>
    scene.call("POST", `/a/v1/resource/${guid}/episode/${name}`, {
      json: { metadata: { labels: { guid: label } }, description: { title: name }, enclosure: { uri: "tea.wav" } },
    });
  assert.equal((await episode("episode-one", "urn:x y")).status, 201);
  for (const label of ["urn:x y ", "urn:x  y", "urn:x\ny", "urn:\u0001x y", "\t", " ", "urn:x y"])
    assert.deepEqual([label, paths((await episode("episode-two", label)).body)], [label, ["metadata.labels.guid"]]);
});

withPodops("[P8] a show is changed under its GUID or its name only", async ({ call, production }) => {
  const guid = await production("slow-mornings");
  const put = async (id: string, query = "") =>
    call("PUT", `/a/v1/resource/${guid}/show/${id}${query}`, { json: { description: { title: "Slow Evenings" } } });
  for (const query of ["", "?f=true"]) assert.deepEqual(paths((await put("no-such-show", query)).body), ["id"]);
  const { body } = await call("GET", `/a/v1/resource/${guid}/show/${guid}`);
  assert.deepEqual([body.metadata.name, body.description.title], ["slow-mornings", "Slow Mornings"]);
  assert.deepEqual([(await put(guid)).status, (await put("slow-mornings")).status], [201, 201]);
});
