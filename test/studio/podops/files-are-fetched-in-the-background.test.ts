import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../../support/store.ts";
import { passTime, virtualClock } from "../../support/virtual-clock.ts";
import { email, givenStudio, password, picture, until, wav } from "../support.ts";
import { callOn, openScene, otherHost, settled, withBackends, withPodops, type PodopsScene } from "./support.ts";

const description = { title: "A cup of tea" };

test("[import] a recording and a cover are fetched in the background, the cover made to fit", async (t) => {
  const sound = wav(2);
  const cover = await picture(900, 500);
  const held = Promise.withResolvers<void>();
  const host = await otherHost(t, (request, response) => {
    if (request.url === "/old.wav") return void response.writeHead(302, { location: "/tea.wav?signed=1" }).end();
    void held.promise.then(() => response.end(request.url?.startsWith("/tea.wav") ? sound : cover));
  });
  const scene = await openScene(t, await givenPglite(t), { config: { allowPrivate: [host.host] } });
  const guid = await scene.production("slow-mornings");
  const path = `/a/v1/resource/${guid}/episode/a-cup-of-tea`;
  const enclosure = { uri: `${host.url}/old.wav`, rel: "import" };
  const image = { uri: `${host.url}/cover.jpg`, rel: "import" };
  const made = await scene.call("POST", path, { json: { description, enclosure, image } });
  assert.deepEqual([made.status, made.body.enclosure.state, made.body.image.state], [202, "waiting", "waiting"]);
  assert.deepEqual([made.body.enclosure.url, made.body.state], ["", "waiting"]);
  const early = await scene.build(guid);
  assert.deepEqual(early.body.errors, [
    { path: "episode.a-cup-of-tea.enclosure", message: "is still to be fetched" },
    { path: "episode.a-cup-of-tea.image", message: "is still to be fetched" },
  ]);
  held.resolve();
  const body = await settled(scene, path);
  assert.deepEqual(
    [body.enclosure.state, body.enclosure.rel, body.enclosure.uri, body.enclosure.size, body.enclosure.duration, body.enclosure.type],
    ["ready", "import", enclosure.uri, sound.length, 2, "audio/wav"],
  );
  assert.deepEqual(Buffer.from(await (await fetch(body.enclosure.url)).arrayBuffer()), sound);
  assert.deepEqual([body.image.state, body.image.type], ["ready", "image/jpeg"]);
  const again = await scene.call("PUT", path, { json: { description, enclosure, image } });
  assert.deepEqual([again.status, again.body.enclosure.guid], [201, body.enclosure.guid], "it is here: nobody fetches it again");
  assert.equal((await scene.build(guid)).status, 201);
  assert.ok((await scene.feed(guid)).includes(body.enclosure.url));
});

test("[P13] a file is asked for by itself, and once for each address", async (t) => {
  let asked = 0;
  const host = await otherHost(t, (_request, response) => {
    asked += 1;
    response.end(wav(1));
  });
  const scene = await openScene(t, await givenPglite(t), { config: { allowPrivate: [host.host] } });
  const guid = await scene.production("slow-mornings");
  const json = { guid, uri: `${host.url}/tea.wav`, name: "tea.wav" };
  const first = await scene.call("POST", "/_t/import", { json });
  assert.deepEqual([first.status, first.body.name, first.body.uri, first.body.state], [202, "tea.wav", json.uri, "waiting"]);
  const asset = await settled(scene, `/a/v1/resource/${guid}/asset/tea.wav`);
  assert.deepEqual([asset.enclosure.state, asset.metadata.guid], ["ready", first.body.guid]);
  const second = await scene.call("POST", "/_t/import", { json: { guid: "slow-mornings", uri: json.uri } });
  assert.deepEqual([second.status, second.body], [202, { ...first.body, state: "ready" }]);
  assert.equal(asked, 1);
  for (const bad of [{ guid }, { guid, uri: "ftp://x" }, { guid, uri: json.uri, name: "no good" }, { uri: json.uri }])
    assert.equal((await scene.call("POST", "/_t/import", { json: bad })).status, 400, JSON.stringify(bad));
  assert.equal((await scene.call("POST", "/_t/import", { json: { guid: "nothing-here", uri: json.uri } })).status, 404);
});

withBackends("[P13] of many who ask for one address at once, all get one asset; of many who want one name, one gets it", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const ask = async (uri: string, name: string) => scene.call("POST", "/_t/import", { json: { guid, uri, name } });
  const same = await Promise.all(Array.from({ length: 6 }, async () => ask("http://127.0.0.1:9/tea.wav", "tea.wav")));
  assert.deepEqual([...new Set(same.map(({ status, body }) => `${status} ${body.guid}`))], [`202 ${same[0]?.body.guid}`]);
  const named = await Promise.all(Array.from({ length: 6 }, async (_, n) => ask(`http://127.0.0.1:9/${n}.wav`, "cup.wav")));
  assert.deepEqual(named.map(({ status }) => status).sort(), [202, 400, 400, 400, 400, 400]);
  const message = "is another asset's; choose another name";
  for (const { status, body } of named) if (status === 400) assert.deepEqual(body.errors, [{ path: "name", message }]);
  const files = (await scene.call("GET", `/a/v1/resource/${guid}/assets`)).body.resources as { metadata: { name: string } }[];
  assert.deepEqual(
    files
      .map(({ metadata }) => metadata.name)
      .filter((name) => !name.startsWith("asset-"))
      .sort(),
    ["cup.wav", "tea.wav"],
  );
  assert.equal((await ask("http://127.0.0.1:9/x.wav", "0123456789ab")).status, 400, "it looks like a GUID");
});

const waiting = async ({ call }: PodopsScene, guid: string) => (await call("GET", `/a/v1/resource/${guid}/asset/tea.wav`)).body.enclosure;

test("[import] a host that is down is asked again later; one that has no recording is not", async (t) => {
  const clock = virtualClock();
  let up = false;
  let asked = 0;
  const host = await otherHost(t, (request, response) => {
    asked += 1;
    if (request.url === "/page") return void response.end("nothing to hear here");
    return void (up ? response.end(wav(1)) : response.writeHead(503).end());
  });
  const scene = await openScene(t, await givenPglite(t), { clock, config: { allowPrivate: [host.host] } });
  const guid = await scene.production("slow-mornings");
  await scene.call("POST", "/_t/import", { json: { guid, uri: `${host.url}/tea.wav`, name: "tea.wav" } });
  const told = await until("it was tried", async () => {
    const one = await waiting(scene, guid);
    return one.problem && one;
  });
  assert.deepEqual([told.state, asked], ["waiting", 1]);
  assert.match(told.problem, /answered 503 \(Service Unavailable\)/);
  up = true;
  await passTime(clock, "it was tried again", async () => (await waiting(scene, guid)).state === "ready", {
    stepMs: 2000,
    limitMs: 60_000,
  });
  assert.equal((await waiting(scene, guid)).problem, undefined);
  const page = await scene.call("POST", "/_t/import", { json: { guid, uri: `${host.url}/page`, name: "page.mp3" } });
  const refused = await until("it is refused", async () => {
    const { enclosure } = (await scene.call("GET", `/a/v1/resource/${guid}/asset/${page.body.guid}`)).body;
    return enclosure.state === "failed" && enclosure;
  });
  assert.match(refused.problem, /not audio that we know/);
});

test("[import] who asks again for a file that rests after a failed try has it fetched at once", async (t) => {
  let up = false;
  const host = await otherHost(t, (_request, response) => void (up ? response.end(wav(1)) : response.writeHead(503).end()));
  const scene = await openScene(t, await givenPglite(t), { clock: virtualClock(), config: { allowPrivate: [host.host] } });
  const guid = await scene.production("slow-mornings");
  const ask = async () => scene.call("POST", "/_t/import", { json: { guid, uri: `${host.url}/tea.wav`, name: "tea.wav" } });
  await ask();
  await until("it was tried", async () => (await waiting(scene, guid)).problem);
  up = true;
  await ask();
  assert.equal((await settled(scene, `/a/v1/resource/${guid}/asset/tea.wav`)).enclosure.state, "ready");
});

withPodops("[import] addresses of private networks are fetched from for nobody", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.call("POST", "/_t/import", { json: { guid, uri: "http://127.0.0.1:9/tea.wav", name: "tea.wav" } });
  const { problem } = await until("it is refused", async () => {
    const one = await waiting(scene, guid);
    return one.state === "failed" && one;
  });
  assert.match(problem, /127\.0\.0\.1/);
  assert.equal(
    (await scene.call("POST", "/_t/import", { json: { guid, uri: "http://127.0.0.1:9/tea.wav" } })).body.state,
    "waiting",
    "asked again, it is tried again",
  );
});

test("[import] what a studio that stopped has left is fetched by the next one", async (t) => {
  const given = await givenPglite(t);
  const held = Promise.withResolvers<void>();
  let asked = 0;
  const host = await otherHost(t, (_request, response) => {
    asked += 1;
    void held.promise.then(() => response.end(wav(1)));
  });
  const config = { allowPrivate: [host.host] };
  const first = await givenStudio(t, given, { config });
  await first.accounts.create({ email, password, secondFactor: "none", name: "Maya" });
  const before = await callOn(first, given);
  const guid = await before.production("slow-mornings");
  await before.call("POST", "/_t/import", { json: { guid, uri: `${host.url}/tea.wav`, name: "tea.wav" } });
  await until("it is being fetched", async () => asked === 1);
  await first.close();
  held.resolve();
  const after = await callOn(await givenStudio(t, given, { config }), given);
  const asset = await settled(after, `/a/v1/resource/${guid}/asset/tea.wav`);
  assert.deepEqual([asset.enclosure.state, asked], ["ready", 2]);
});

test("[import] a host that keeps its file back keeps nobody else's back; three are fetched at a time, each once", async (t) => {
  const held = Promise.withResolvers<void>();
  const asked: string[] = [];
  let [open, most] = [0, 0];
  const host = await otherHost(t, (request, response) => {
    asked.push(request.url ?? "");
    most = Math.max(most, (open += 1));
    response.once("close", () => (open -= 1));
    void (request.url?.startsWith("/held") ? held.promise : Promise.resolve()).then(() => response.end(wav(1)));
  });
  const scene = await openScene(t, await givenPglite(t), { config: { allowPrivate: [host.host] } });
  const guid = await scene.production("slow-mornings");
  const ask = async (name: string) => scene.call("POST", "/_t/import", { json: { guid, uri: `${host.url}/${name}`, name } });
  await ask("held-0.wav");
  await until("the slow one is asked for", async () => asked.length === 1);
  for (const name of ["tea.wav", "cup.wav", "pot.wav"]) {
    await ask(name);
    assert.equal((await settled(scene, `/a/v1/resource/${guid}/asset/${name}`)).enclosure.state, "ready");
  }
  for (const name of ["held-1.wav", "held-2.wav", "held-3.wav", "held-4.wav"]) await ask(name);
  await until("three are on their way", async () => open === 3);
  held.resolve();
  for (let n = 0; n < 5; n++) await settled(scene, `/a/v1/resource/${guid}/asset/held-${n}.wav`);
  assert.deepEqual([most, asked.length, new Set(asked).size], [3, 8, 8]);
});
