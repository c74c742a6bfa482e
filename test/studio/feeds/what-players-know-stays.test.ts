import assert from "node:assert/strict";
import { test } from "node:test";
import PostalMime from "postal-mime";
import { parseRssFeed } from "feedsmith";
import { givenPglite } from "../../support/store.ts";
import { openScene } from "../podops/support.ts";
import { givenShow, givenStudio, showName, signedIn, smtpSink, until, wav } from "../support.ts";
import { readPage } from "./support.ts";

test("a show that moves here keeps its podcast:guid, and its episodes their guids", async (t) => {
  const [mail, there] = [await smtpSink(t), await givenStudio(t, await givenPglite(t))];
  await givenShow(there);
  const author = await signedIn(there);
  for (const title of ["One", "Two"]) await author.publish(await author.draft({ title }));
  const old = await readPage(`${there.url}/feeds/${showName}.xml`);
  const oldFeed = parseRssFeed(old.xml);

  const config = { smtpUrl: mail.url, allowPrivate: [new URL(there.url).host] };
  const here = await givenStudio(t, await givenPglite(t), { config });
  await givenShow(here);
  const maya = await signedIn(here);
  await maya.get("/import");
  const { location } = await maya.submit("/import", { feed: old.url });
  await maya.get(location);
  const letter = await until("the code is mailed", async () => mail.letters[0]);
  const code = /^\d{6}/.exec((await PostalMime.parse(letter.source)).subject ?? "")?.[0] ?? "";
  assert.equal((await maya.submit(`${location}/code`, { code })).location, location);
  const { json } = await maya.call("POST", `${location}/confirm`);
  const url = `${here.url}/feeds/${new URL(String(json["link"])).pathname.slice("/s/".length)}.xml`;
  const moved = await until("both episodes are here", async () => {
    const page = await readPage(url);
    return page.guids.length === 2 && page;
  });
  assert.deepEqual(moved.guids.toSorted(), old.guids.toSorted());
  const newFeed = parseRssFeed(moved.xml);
  assert.equal(newFeed.podcast?.guid, oldFeed.podcast?.guid);
  assert.ok(newFeed.items?.every((item) => item.enclosures?.[0]?.url?.startsWith(here.url)));
});

test("a published episode that the API changes is in the next build, under the guid that it came with", async (t) => {
  const scene = await openScene(t, await givenPglite(t));
  const guid = await scene.production(showName);
  await scene.episode(showName, "cup-of-tea", { title: "A cup of tea", labels: { guid: "urn:elsewhere:1" } });
  await scene.build(guid);
  const url = `${scene.studio.url}/feeds/${showName}.xml`;
  const before = await readPage(url);
  assert.deepEqual([before.titles, before.guids], [["A cup of tea"], ["urn:elsewhere:1"]]);
  const path = `/a/v1/resource/${showName}/episode/cup-of-tea`;
  const { body } = await scene.call("GET", path);
  const json = { ...body, description: { ...body.description, title: "Two cups of tea" }, metadata: { ...body.metadata, labels: {} } };
  assert.equal((await scene.call("PUT", path, { json })).status, 201);
  assert.equal((await readPage(url)).etag, before.etag, "nobody has built it");
  assert.equal((await scene.build(guid)).status, 201);
  const after = await readPage(url);
  assert.deepEqual([after.titles, after.guids], [["Two cups of tea"], ["urn:elsewhere:1"]]);
  assert.equal((await scene.build(guid)).status, 201);
  assert.equal((await readPage(url)).etag, after.etag, "the same again makes the same");
});

test("the words of a machine's voice can be read along, those of a person are not invented", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const about = "<p>Xin chào &amp; tạm biệt.</p><p>Hai.</p>";
  const spoken = await maya.draft({ title: "By a person", about });
  const audio = await maya.upload("audio", "read.wav", wav(4));
  await maya.settled(audio.json["guid"]);
  const made = await maya.call("POST", `/shows/${showName}/episodes`, {
    title: "Read",
    about,
    audio: audio.json["guid"],
    machineVoice: true,
  });
  const read = String(made.json["guid"]);
  const at = (guid: string, ending: string): string => `${studio.url}/transcripts/${showName}/${guid}.${ending}`;
  assert.equal((await fetch(at(read, "vtt"))).status, 404, "it is a draft");
  for (const guid of [spoken, read]) assert.equal((await maya.publish(guid)).status, 200);

  const { items = [] } = parseRssFeed((await readPage(`${studio.url}/feeds/${showName}.xml`)).xml);
  const transcripts = (guid: string) => items.find((item) => item.guid?.value === guid)?.podcast?.transcripts;
  assert.equal(transcripts(spoken), undefined);
  assert.deepEqual(transcripts(read), [
    { url: at(read, "vtt"), type: "text/vtt", language: "en" },
    { url: at(read, "txt"), type: "text/plain", language: "en" },
  ]);
  const vtt = await fetch(at(read, "vtt"));
  assert.deepEqual([vtt.headers.get("content-type"), vtt.headers.get("access-control-allow-origin")], ["text/vtt; charset=utf-8", "*"]);
  assert.equal(
    await vtt.text(),
    [
      "WEBVTT\n",
      "NOTE The times are estimated from the length of the text.\n",
      "00:00:00.000 --> 00:00:03.333\nXin chào &amp; tạm biệt.\n",
      "00:00:03.333 --> 00:00:04.000\nHai.\n",
    ].join("\n"),
  );
  assert.equal(await (await fetch(at(read, "txt"))).text(), "Xin chào & tạm biệt.\nHai.\n");
  assert.equal((await fetch(at(read, "vtt"), { headers: { "if-none-match": vtt.headers.get("etag") ?? "" } })).status, 304);
  for (const url of [at(spoken, "vtt"), at(read, "srt"), at("0".repeat(12), "vtt")]) assert.equal((await fetch(url)).status, 404, url);
});
