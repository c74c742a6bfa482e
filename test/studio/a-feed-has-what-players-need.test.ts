import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRssFeed } from "feedsmith";
import { eachBackend, givenPglite } from "../support/store.ts";
import { givenShow, givenStudio, picture, signedIn, wav } from "./support.ts";

eachBackend("Vietnamese text comes out of the feed byte for byte as it went into the form", async (t, given) => {
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  const maya = await signedIn(studio);
  const title = "Chuyện “phở & bún” – 5 < 6, đúng không? 🎙️";
  const about = "<p>Xin chào, đây là <strong>tập đầu tiên</strong> &amp; duy nhất. Giá: 3 &lt; 4.</p><ul><li>Một</li><li>Hai</li></ul>";
  const guid = await maya.draft({ title, about });
  await maya.publish(guid);
  const xml = (await maya.get("/feeds/slow-mornings.xml")).text;
  const item = parseRssFeed(xml).items?.[0];
  assert.equal(item?.title, title);
  assert.equal(item?.content?.encoded, about);
  assert.equal(item?.guid?.value, guid);
});

test("the enclosure has the right address, length, type and duration, and can be fetched in parts", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const cover = await maya.upload("cover", "Ảnh bìa.jpg", await picture(1400, 1400));
  await maya.publish(await maya.draft({ title: "Two seconds", fileName: "Tập 1.wav", cover: String(cover.json["guid"]) }));
  const item = parseRssFeed((await maya.get("/feeds/slow-mornings.xml")).text).items?.[0];
  const [enclosure] = item?.enclosures ?? [];
  const bytes = wav(2);
  assert.match(enclosure?.url ?? "", /\/media\/[0-9a-f]{32}\.wav$/);
  assert.deepEqual([enclosure?.length, enclosure?.type, item?.itunes?.duration], [bytes.length, "audio/wav", 2]);
  assert.match(item?.itunes?.image ?? "", /\/media\/[0-9a-f]{32}\.jpg$/);

  const url = enclosure?.url ?? "";
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual(
    [head.status, head.headers.get("content-length"), head.headers.get("content-type"), head.headers.get("accept-ranges")],
    [200, String(bytes.length), "audio/wav", "bytes"],
  );
  assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), bytes);
  const part = await fetch(url, { headers: { range: "bytes=44-99" } });
  assert.deepEqual([part.status, part.headers.get("content-range")], [206, `bytes 44-99/${bytes.length}`]);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(44, 100));
  assert.equal((await fetch(url, { headers: { range: "bytes=9999999-" } })).status, 416);
  const again = await fetch(url, { headers: { "if-none-match": head.headers.get("etag") ?? "", "cache-control": "max-age=0" } });
  assert.equal(again.status, 304);
});

test("a feed that has not changed is not sent again, and HEAD tells its length", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const url = `${studio.url}/feeds/slow-mornings.xml`;
  const before = await fetch(url);
  assert.equal(before.headers.get("content-type"), "application/rss+xml; charset=utf-8");
  assert.equal(before.headers.getSetCookie().length, 0, "a podcast app gets no cookie");
  const text = await before.text();
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, String(Buffer.byteLength(text))]);
  const etag = before.headers.get("etag") ?? "";
  assert.equal((await fetch(url, { headers: { "if-none-match": etag } })).status, 304);
  assert.equal((await fetch(url, { headers: { "if-modified-since": before.headers.get("last-modified") ?? "" } })).status, 304);
  await maya.publish(await maya.draft({ title: "News" }));
  assert.equal((await fetch(url, { headers: { "if-none-match": etag } })).status, 200);
});

test("a show is born with a cover that directories accept", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const feed = parseRssFeed(await (await fetch(`${studio.url}/feeds/slow-mornings.xml`)).text());
  const image = await fetch(feed.itunes?.image ?? "");
  assert.equal(image.headers.get("content-type"), "image/png");
  const { default: sharp } = await import("sharp");
  const { width, height } = await sharp(Buffer.from(await image.arrayBuffer())).metadata();
  assert.deepEqual([width, height], [1400, 1400]);
});

test("a machine's voice is said in the feed", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const audio = await maya.upload("audio", "a.wav", wav(1));
  await maya.settled(audio.json["guid"]);
  const { json } = await maya.call("POST", "/shows/slow-mornings/episodes", {
    title: "Read by a machine",
    audio: audio.json["guid"],
    machineVoice: true,
  });
  await maya.publish(String(json["guid"]));
  assert.match((await maya.get("/feeds/slow-mornings.xml")).text, /<podcast:txt purpose="ai-content">true<\/podcast:txt>/);
});
