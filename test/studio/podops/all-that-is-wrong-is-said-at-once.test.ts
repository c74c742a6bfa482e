import assert from "node:assert/strict";
import { picture } from "../support.ts";
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
