import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { picture, wav } from "../support.ts";
import { withPodops } from "./support.ts";

withPodops("[P11] [upload] a file comes in before there is a show, and says what it is", async (scene) => {
  await scene.call("POST", "/a/v1/production", { json: { name: "slow-mornings" } });
  const [sound, cover] = [wav(1), await picture(1500, 1500, "png")];
  const audio = await scene.upload("slow-mornings", "Tea_1.wav", sound);
  const image = await scene.upload("slow-mornings", "cover.png", cover);
  for (const [{ status, body }, name, type, bytes] of [
    [audio, "Tea_1.wav", "audio/wav", sound],
    [image, "cover.png", "image/png", cover],
  ] as const) {
    assert.equal(status, 201);
    assert.deepEqual([body.name, body.type, body.size], [name, type, bytes.length]);
    const head = await fetch(body.uri, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), head.headers.get("etag")], [200, String(bytes.length), body.etag]);
    assert.deepEqual(Buffer.from(await (await fetch(body.uri)).arrayBuffer()), bytes);
  }
  const part = await fetch(audio.body.uri, { headers: { range: "bytes=4-7" } });
  assert.deepEqual([part.status, Buffer.from(await part.arrayBuffer())], [206, sound.subarray(4, 8)]);
  assert.equal((await fetch(audio.body.uri, { headers: { "if-none-match": audio.body.etag } })).status, 304);
});

withPodops("[P11] [upload] a file of the same name takes the other's place, for all that points to it", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "a-cup-of-tea");
  await scene.build(guid);
  const before = (await scene.call("GET", `/a/v1/resource/${guid}/episode/a-cup-of-tea`)).body.enclosure;
  const { body } = await scene.upload(guid, "a-cup-of-tea.wav", wav(5));
  assert.equal(body.guid, before.guid);
  const after = (await scene.call("GET", `/a/v1/resource/${guid}/episode/a-cup-of-tea`)).body.enclosure;
  assert.deepEqual([after.guid, after.duration, after.uri], [before.guid, 5, body.uri]);
  assert.notEqual(after.uri, before.uri);
  assert.equal((await scene.build(guid)).status, 201);
  assert.ok((await scene.feed(guid)).includes(body.uri));
  assert.equal((await scene.call("GET", `/a/v1/resource/${guid}/assets`)).body.resources.length, 2, "the recording and the drawn cover");
  const other = await scene.upload(guid, "a-cup-of-tea.wav", await picture(1400, 1400));
  assert.equal(other.status, 400, "a picture is no recording, whatever its name");
});

withPodops("[P11] [upload] what is neither a recording nor a cover, or has another name, is refused", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const text = Buffer.from("<html>nothing</html>");
  const refused: [string, Uint8Array<ArrayBuffer>][] = [
    ["page.mp3", text],
    ["page.jpg", text],
    ["empty.mp3", Buffer.alloc(0)],
    ["small.png", await picture(300, 300, "png")],
    ["wide.jpg", await picture(1400, 1500)],
    ["chuyện.mp3", wav(1)],
    [".hidden.wav", wav(1)],
    ["a b.wav", wav(1)],
    ["half.wav", wav(1).subarray(0, 20)],
    ["0123456789ab", wav(1)],
  ];
  for (const [name, bytes] of refused) {
    const { status, body } = await scene.upload(guid, name, bytes);
    assert.deepEqual([status, body.status, typeof body.message], [400, 400, "string"], name);
  }
  const path = `/a/v1/upload/${guid}`;
  assert.equal((await scene.call("POST", path, { body: "{}" })).status, 400);
  const form = new FormData();
  form.set("file", new Blob([wav(1)]), "tea.wav");
  assert.equal((await scene.call("POST", path, { body: form })).status, 400, "the field is called asset");
  assert.equal((await scene.upload("nothing-here", "tea.wav", wav(1))).status, 404);
  const assets = (await scene.call("GET", `/a/v1/resource/${guid}/assets`)).body.resources as { metadata: { name: string } }[];
  assert.deepEqual(
    assets.filter(({ metadata }) => !metadata.name.startsWith("asset-")),
    [],
  );
});

withPodops("[validation] an episode points to what is there: by name, GUID or address; what is missing is said", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const { body } = await scene.upload(guid, "tea.wav", wav(1));
  const point = async (name: string, uri: string) =>
    scene.call("POST", `/a/v1/resource/${guid}/episode/${name}`, {
      json: { description: { title: "Tea" }, enclosure: { uri, rel: "local" } },
    });
  for (const [index, uri] of ["tea.wav", body.guid, body.uri, new URL(body.uri).pathname].entries()) {
    const made = await point(`episode-no-${index}`, uri);
    assert.deepEqual([made.status, made.body.enclosure?.guid], [201, body.guid], uri);
  }
  for (const uri of ["coffee.wav", "000000000000", "/media/00000000000000000000000000000000.wav", "../tea.wav"]) {
    const { status, body: answer } = await point("episode-no-9", uri);
    assert.deepEqual([status, answer.errors[0].path], [400, "enclosure.uri"], uri);
  }
});

withPodops("[P7] [external] a file that stays elsewhere stands in the feed as it is, and is fetched by nobody", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const path = `/a/v1/resource/${guid}/episode/a-cup-of-tea`;
  const uri = "https://media.example.com/tea.mp3?a=1&b=2";
  const vague = await scene.call("POST", path, {
    json: { description: { title: "Tea" }, enclosure: { uri: "https://media.example.com/tea", rel: "external" } },
  });
  assert.deepEqual(
    vague.body.errors.map((one: { path: string }) => one.path),
    ["enclosure.type", "enclosure.size"],
  );
  const enclosure = { uri, rel: "external", size: 123_456, duration: 61 };
  const image = { uri: "https://media.example.com/tea.jpg", rel: "external" };
  const made = await scene.call("POST", path, { json: { description: { title: "Tea" }, enclosure, image } });
  const { guid: _file, ...said } = made.body.enclosure;
  assert.deepEqual([made.status, said], [201, { ...enclosure, type: "audio/mpeg", url: uri, state: "ready" }]);
  assert.equal((await scene.build(guid)).status, 201);
  const feed = await scene.feed(guid);
  assert.ok(feed.includes('<enclosure url="https://media.example.com/tea.mp3?a=1&amp;b=2" length="123456" type="audio/mpeg"'), feed);
  assert.ok(feed.includes('<itunes:image href="https://media.example.com/tea.jpg"'), feed);
  const page = await fetch(made.body.description.link.uri.replace(/[^/]*$/, `x-${made.body.metadata.guid}`));
  assert.match(await page.text(), /src="https:\/\/media.example.com\/tea.mp3\?a&#61;1&#38;b&#61;2"/);
  assert.match(page.headers.get("content-security-policy") ?? "", /media-src 'self' https:\/\/media\.example\.com;/);
});

withPodops("[P11] [upload] a file that comes in parts goes on where it broke off", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const sound = wav(2);
  const put = async (from: number, to: number, token = scene.token) =>
    fetch(`${scene.studio.url}/a/v1/upload/${guid}/tea.wav`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${token}`,
        "content-range": `bytes ${from}-${to - 1}/${sound.length}`,
        "content-type": "audio/wav",
      },
      body: sound.subarray(from, to),
    });
  assert.equal((await put(0, 1000, await scene.makeToken(["resource:read"]))).status, 403);
  assert.equal((await put(0, 1000, "x")).status, 401);
  const first = await put(0, 20_000);
  assert.deepEqual(
    [first.status, await first.json(), first.headers.get("upload-offset")],
    [202, { offset: 20_000, total: sound.length }, "20000"],
  );
  const gap = await put(25_000, sound.length);
  assert.deepEqual([gap.status, ((await gap.json()) as { offset: number }).offset], [400, 20_000]);
  const asked = await fetch(`${scene.studio.url}/a/v1/upload/slow-mornings/tea.wav`, {
    method: "HEAD",
    headers: { authorization: `Bearer ${scene.token}` },
  });
  assert.deepEqual([asked.status, asked.headers.get("upload-offset")], [204, "20000"]);
  const last = await put(20_000, sound.length);
  const made = (await last.json()) as { uri: string; name: string; duration: number };
  assert.deepEqual([last.status, made.name, made.duration], [201, "tea.wav", 2]);
  assert.deepEqual(Buffer.from(await (await fetch(made.uri)).arrayBuffer()), sound);
  const json = { description: { title: "Tea" }, enclosure: { uri: "tea.wav" } };
  assert.equal((await scene.call("POST", `/a/v1/resource/${guid}/episode/a-cup-of-tea`, { json })).status, 201);
});

withPodops("[P7] [P8] an asset is a resource too: made of a pointer, named and labelled", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const path = `/a/v1/resource/${guid}/asset/tea.mp3`;
  const enclosure = { uri: "https://media.example.com/tea.mp3", rel: "external", type: "audio/mpeg", size: 1234, duration: 9 };
  const made = await scene.call("POST", path, { json: { metadata: { labels: { mood: "calm" } }, enclosure } });
  assert.equal(made.status, 201, made.text);
  const { metadata } = made.body;
  assert.deepEqual([metadata.name, metadata.labels, made.body.enclosure.state], ["tea.mp3", { mood: "calm" }, "ready"]);
  assert.equal((await scene.call("POST", path, { json: { enclosure } })).status, 400, "there is one already");
  const changed = await scene.call("PUT", path, { json: { metadata: { tags: ["tea"] }, enclosure: { ...enclosure, size: 99 } } });
  assert.deepEqual([changed.body.metadata.guid, changed.body.metadata.tags, changed.body.enclosure.size], [metadata.guid, ["tea"], 99]);
  await scene.upload(guid, "coffee.wav", wav(1));
  const taken = await scene.call("PUT", `/a/v1/resource/${guid}/asset/${metadata.guid}`, {
    json: { metadata: { name: "coffee.wav" }, enclosure },
  });
  assert.deepEqual(
    [taken.status, taken.body.errors],
    [400, [{ path: "metadata.name", message: "is another asset's; choose another name" }]],
  );
  const json = { description: { title: "Tea" }, enclosure: { uri: "tea.mp3" } };
  const episode = await scene.call("POST", `/a/v1/resource/${guid}/episode/a-cup-of-tea`, { json });
  assert.deepEqual([episode.status, episode.body.enclosure.guid], [201, metadata.guid]);
});

withPodops("[P11] [upload] a part without a file's name is refused", async ({ call, production }) => {
  const guid = await production("slow-mornings");
  const body = '--x\r\ncontent-disposition: form-data; name="asset"\r\ncontent-type: application/octet-stream\r\n\r\nbytes\r\n--x--\r\n';
  const { status, text } = await call("POST", `/a/v1/upload/${guid}`, {
    body,
    headers: { "content-type": "multipart/form-data; boundary=x" },
  });
  assert.equal(status, 400, text);
});

withPodops("[P11] [upload] content that is here under another name, or was replaced since, comes in as its own file", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const put = async (name: string, sound: Uint8Array<ArrayBuffer>) =>
    scene.call("PUT", `/a/v1/upload/${guid}/${name}`, {
      body: sound as never,
      headers: {
        "content-type": "audio/wav",
        "content-range": `bytes 0-${sound.length - 1}/${sound.length}`,
        "repr-digest": `sha-256=:${createHash("sha256").update(sound).digest("base64")}:`,
      },
    });
  const [tea, coffee] = [wav(1), wav(2)];
  const first = await put("tea.wav", tea);
  const path = `/a/v1/resource/${guid}`;
  const point = { title: "Tea" };
  const named = { metadata: { name: "green.wav" }, enclosure: { uri: first.body.guid } };
  assert.equal((await scene.call("PUT", `${path}/asset/${first.body.guid}`, { json: named })).status, 201);
  await scene.call("POST", `${path}/episode/green-tea`, { json: { description: point, enclosure: { uri: "green.wav" } } });
  const second = await put("tea.wav", tea);
  assert.notEqual(second.body.guid, first.body.guid, "the one that was renamed keeps its name");
  assert.equal((await put("tea.wav", coffee)).body.guid, second.body.guid);
  const third = await put("tea.wav", tea);
  assert.deepEqual([third.status, third.body.guid, third.body.duration], [201, second.body.guid, 1], third.text);
  assert.equal((await put("tea.wav", tea)).body.guid, second.body.guid, "sent again after a lost answer");
  const green = await scene.call("GET", `${path}/asset/green.wav`);
  assert.deepEqual([green.status, green.body.metadata.guid], [200, first.body.guid]);
});

withPodops("[P7] [external] a recording whose duration nobody said has none in the feed", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const enclosure = { uri: "https://media.example.com/tea.mp3", rel: "external", size: 123_456 };
  const path = `/a/v1/resource/${guid}/episode/a-cup-of-tea`;
  const made = await scene.call("POST", path, { json: { description: { title: "Tea" }, enclosure } });
  assert.equal(made.status, 201, made.text);
  const { duration } = made.body.enclosure;
  assert.equal(
    (await scene.call("PUT", path, { json: { description: { title: "Tea" }, enclosure: { ...enclosure, duration } } })).status,
    201,
  );
  assert.equal((await scene.build(guid)).status, 201);
  assert.doesNotMatch(await scene.feed(guid), /itunes:duration/);
});
