import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { parseFeed } from "podcast-partytime";
import { givenPglite } from "../../../support/store.ts";
import { tempDir } from "../../../support/temp.ts";
import { mp3Of, sine } from "../../../media/help.ts";
import { days, givenDays, readAll } from "../../../studio/feeds/support.ts";
import { openScene, type PodopsScene } from "../../../studio/podops/support.ts";
import { givenShow, givenStudio, showName, signedIn, wav } from "../../../studio/support.ts";
import { gpodder, newsboat, podcastparser } from "./clients.ts";

interface Published {
  title: string;
  guid: string;
  bytes: Buffer;
  seconds: number;
}

const title = "Chuyện “phở & bún” – 5 < 6, đúng không? 🎙️";

/** Of one show: two episodes made by the API, two in the web studio, one of them read by a machine. */
async function givenEpisodes(scene: PodopsScene): Promise<Published[]> {
  const published: Published[] = [];
  for (const [index, name] of ["tap-so-1", "tap-so-2"].entries()) {
    const bytes = Buffer.from(await mp3Of(sine(220 + index, 0.2, 44_100, 2 + index)));
    const uploaded = await scene.upload(showName, `${name}.mp3`, bytes);
    assert.equal(uploaded.status, 201, uploaded.text);
    const metadata = { name, date: Date.parse("2026-11-20T08:00:00Z") / 1000 + index, labels: { season: "1", episode: String(index + 1) } };
    const description = { title: `Tập ${index + 1}: bằng API & <không> cần trình duyệt`, summary: "<p>Nội dung</p>" };
    const json = { apiVersion: "v1", kind: "episode", metadata, description, enclosure: { uri: `${name}.mp3` } };
    const made = await scene.call("POST", `/a/v1/resource/${showName}/episode/${name}`, { json });
    assert.equal(made.status, 201, made.text);
    published.push({ title: description.title, guid: String(made.body.metadata.guid), bytes, seconds: 2 + index });
  }
  const show = await scene.studio.shows.find(showName);
  const built = await scene.build(show?.guid ?? "");
  assert.equal(built.status, 201, built.text);
  const maya = await signedIn(scene.studio);
  for (const [index, machineVoice] of [false, true].entries()) {
    const bytes = wav(5 + index);
    const audio = await maya.upload("audio", `web-${index}.wav`, bytes);
    await maya.settled(audio.json["guid"]);
    const fields = { title: `${title} ${index}`, about: "<p>Xin chào. Đây là câu chuyện.</p>", audio: audio.json["guid"], machineVoice };
    const { json } = await maya.call("POST", `/shows/${showName}/episodes`, fields);
    assert.equal((await maya.publish(String(json["guid"]))).status, 200);
    published.push({ title: fields.title, guid: String(json["guid"]), bytes, seconds: 5 + index });
  }
  return published;
}

const sorted = <T extends { guid: string }>(episodes: readonly T[]): T[] => episodes.toSorted((a, b) => (a.guid < b.guid ? -1 : 1));
const told = (episodes: readonly { title: string; guid: string }[]) => sorted(episodes).map(({ title: name, guid }) => [guid, name]);

test("gPodder, Newsboat, podcastparser and Podverse's parser hear every episode, made by the API or in the browser", async (t) => {
  const scene = await openScene(t, await givenPglite(t));
  await scene.production(showName);
  const published = await givenEpisodes(scene);
  const feed = `${scene.studio.url}/feeds/${showName}.xml`;
  const home = await tempDir(t, "clients");

  await t.test("gPodder subscribes and downloads each recording byte for byte", async () => {
    const heard = await gpodder(join(home, "gpodder"), feed);
    assert.equal(heard.show, "Slow Mornings");
    assert.deepEqual(told(heard.episodes), told(published));
    const episodes = sorted(heard.episodes);
    for (const [index, { bytes, seconds }] of sorted(published).entries()) {
      assert.ok(episodes[index]?.bytes.equals(bytes), "another file than was published");
      assert.equal(episodes[index]?.seconds, seconds);
    }
  });

  await t.test("Newsboat lists each episode with its recording", async () => {
    const heard = await newsboat(join(home, "newsboat"), feed);
    assert.equal(heard.show, "Slow Mornings");
    assert.deepEqual(told(heard.episodes), told(published));
    assert.match(heard.unread, /^4 unread/);
    for (const { url } of heard.episodes) assert.equal((await fetch(url, { method: "HEAD" })).status, 200);
  });

  await t.test("podcastparser agrees on titles, guids, durations and sizes", async () => {
    const heard = await podcastparser(feed);
    assert.deepEqual(told(heard.episodes), told(published));
    assert.deepEqual(
      sorted(heard.episodes).map(({ seconds, bytes }) => [seconds, bytes]),
      sorted(published).map(({ seconds, bytes }) => [seconds, bytes.length]),
    );
    assert.equal(heard.next, null);
  });

  await t.test("Podverse's parser drops nothing, and reads what Podcasting 2.0 adds", async () => {
    const heard = parseFeed(await (await fetch(feed)).text(), { allowMissingGuid: false });
    assert.ok(heard);
    assert.deepEqual(told(heard.items.map((item) => ({ title: item.title ?? "", guid: item.guid }))), told(published));
    assert.match(heard.guid ?? "", /^[0-9a-f-]{36}$/);
    const narrated = heard.items.find((item) => item.title?.endsWith("1") && item.title.startsWith("Chuyện"));
    const [transcript] = narrated?.podcastTranscripts ?? [];
    assert.deepEqual([transcript?.type, transcript?.language], ["text/vtt", "en"]);
    const vtt = await fetch(String(transcript?.url));
    assert.deepEqual([vtt.status, vtt.headers.get("content-type")], [200, "text/vtt; charset=utf-8"]);
    assert.match(await vtt.text(), /^WEBVTT\n[^]*00:00:00\.000 --> [^]*Xin chào\. Đây là câu chuyện\.\n$/);
  });
});

test("podcastparser finds every episode of a long show by its links to older pages", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  await givenDays(given.store, studio, 1, 1100);
  const titles: string[] = [];
  for (let next: string | null = `${studio.url}/feeds/${showName}.xml`; next !== null;) {
    const page = await podcastparser(next);
    titles.push(...page.episodes.map((episode) => episode.title));
    next = page.next;
  }
  assert.deepEqual(titles, days(1100, 1));
  for (const { xml, titles: own } of await readAll(studio)) assert.equal(parseFeed(xml)?.items.length, own.length);
});
