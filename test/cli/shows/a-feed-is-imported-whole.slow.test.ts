import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRssFeed } from "feedsmith";
import { cover, feedXml, givenHost, recordingAt, type GivenItem } from "./given-feed.ts";
import { givenOperator } from "./given-studio.ts";

/** The newest first. */
const items = (count: number, from = 1): GivenItem[] =>
  Array.from({ length: count }, (_, index) => from + count - 1 - index).map((number) => ({
    guid: `urn:ep:${number}`,
    title: `Tập ${number}`,
    audio: `/${number}.mp3`,
    day: number,
  }));

const coverOf = (xml: string): string => parseRssFeed(xml).itunes?.image ?? "";

/** The feed as a player reads it, its recordings with it. */
async function listen(xml: string) {
  const feed = parseRssFeed(xml);
  return Promise.all(
    (feed.items ?? []).map(async ({ guid, title, enclosures: [one] = [], pubDate }) => ({
      guid: guid?.value,
      title,
      pubDate,
      bytes: Buffer.from(await (await fetch(one?.url ?? "")).arrayBuffer()),
    })),
  );
}

test("all episodes and recordings of a feed of two pages come in, under their guids and dates; again it makes nothing twice", async (t) => {
  const host = await givenHost(t);
  const { run, feed, studio } = await givenOperator(t, { allowPrivate: [new URL(host.origin).host] });
  const all = items(7);
  const page = (some: GivenItem[], more: string): string => feedXml(host.origin, some, more);
  host.answer("/feed.xml", page(all.slice(0, 4), `<atom:link rel="prev-archive" href="${host.origin}/older.xml"/>`));
  host.answer("/older.xml", page(all.slice(4), ""));

  const first = await run(["show", "import", `${host.origin}/feed.xml`, "--json"]);
  assert.equal(first.code, 0, first.err);
  const said = JSON.parse(first.out) as Record<string, unknown>;
  assert.deepEqual(
    { show: said["show"], episodes: said["episodes"], made: said["made"], there: said["there"], failed: said["failed"] },
    { show: "chuyen-pho-dem", episodes: 7, made: 7, there: 0, failed: [] },
  );
  const xml = await feed("chuyen-pho-dem");
  const heard = await listen(xml);
  assert.deepEqual(
    heard.map(({ guid, title }) => [guid, title]),
    all.map(({ guid, title }) => [guid, title]),
  );
  assert.deepEqual(
    heard.map(({ pubDate }) => Date.parse(pubDate ?? "")),
    all.map(({ day = 0 }) => Date.UTC(2026, 0, day, 7)),
  );
  for (const [index, { bytes }] of heard.entries())
    assert.ok(bytes.equals(recordingAt(all[index]?.audio ?? "")), `recording ${index + 1} arrived as it was`);
  assert.equal((await fetch(String(said["feed"]))).status, 200, `the feed is at ${String(said["feed"])}`);
  assert.match(xml, /917393e3-1b1e-5cef-ace4-edaa54e1f810/, "the show keeps its podcast:guid");
  assert.equal((await studio.history()).length, 7);

  const again = await run(["show", "import", `${host.origin}/feed.xml`, "--json"]);
  assert.equal(again.code, 0, again.err);
  assert.deepEqual(JSON.parse(again.out), { ...said, made: 0, there: 7 });
  assert.equal(await feed("chuyen-pho-dem"), xml, "the same bytes");
  assert.equal((await studio.history()).filter(({ outcome }) => outcome === "published").length, 7);

  host.answer("/feed.xml", page([...items(1, 8), ...all.slice(0, 4)], `<atom:link rel="prev-archive" href="${host.origin}/older.xml"/>`));
  const more = await run(["show", "import", `${host.origin}/feed.xml`]);
  assert.equal(more.code, 0, more.err);
  assert.match(more.out, /^chuyen-pho-dem: 8 episodes in the feed, 1 brought in, 7 there already\.\nIts page: http/);
  assert.equal((await listen(await feed("chuyen-pho-dem"))).length, 8);
});

test("a recording that can't be had keeps nothing else out, is told, and comes with the next run", async (t) => {
  const host = await givenHost(t, { "/2.mp3": (_request, response) => void response.writeHead(404).end() });
  const { run, feed } = await givenOperator(t, { allowPrivate: [new URL(host.origin).host] });
  host.answer("/feed.xml", feedXml(host.origin, items(3)));
  const first = await run(["show", "import", `${host.origin}/feed.xml`, "--name", "my-own-name"]);
  assert.equal(first.code, 1);
  assert.match(first.err, /Tập 2: .*404/);
  assert.match(first.out, /2 brought in, 1 not in/);
  assert.deepEqual(
    (await listen(await feed("my-own-name"))).map(({ title }) => title),
    ["Tập 3", "Tập 1"],
  );
  host.answer("/2.mp3", (_request, response) => void response.writeHead(200, { "content-type": "audio/mpeg" }).end(recordingAt("/2.mp3")));
  const second = await run(["show", "import", `${host.origin}/feed.xml`, "--name", "my-own-name"]);
  assert.equal(second.code, 0, second.err);
  assert.deepEqual(
    (await listen(await feed("my-own-name"))).map(({ title }) => title),
    ["Tập 3", "Tập 2", "Tập 1"],
  );
});

test("an import that is killed in the middle goes on when it is run again", async (t) => {
  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const host = await givenHost(t);
  host.answer("/1.mp3", (_request, response) => {
    asked.resolve();
    void held.promise.then(() => response.writeHead(200, { "content-type": "audio/mpeg" }).end(recordingAt("/1.mp3")));
  });
  const { start, run, feed, studio } = await givenOperator(t, { allowPrivate: [new URL(host.origin).host] });
  host.answer("/feed.xml", feedXml(host.origin, items(3)));
  const killed = start(["show", "import", `${host.origin}/feed.xml`]);
  await asked.promise;
  await killed.says(/3 of 3 episodes/);
  killed.child.kill("SIGKILL");
  await killed.ended();
  assert.deepEqual(await studio.history(), [], "nothing is out yet");
  held.resolve();
  const again = await run(["show", "import", `${host.origin}/feed.xml`, "--json"]);
  assert.equal(again.code, 0, again.err);
  const { made, there, failed } = JSON.parse(again.out) as Record<string, unknown>;
  assert.deepEqual({ made, there, failed }, { made: 0, there: 3, failed: [] });
  assert.deepEqual(
    (await listen(await feed("chuyen-pho-dem"))).map(({ title }) => title),
    ["Tập 3", "Tập 2", "Tập 1"],
  );
});

test("an import that is killed beside a cover that can't be had is finished by the next run; the cover comes with a later one", async (t) => {
  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const host = await givenHost(t, { "/cover.jpg": (_request, response) => void response.writeHead(404).end() });
  host.answer("/1.mp3", (_request, response) => {
    asked.resolve();
    void held.promise.then(() => response.writeHead(200, { "content-type": "audio/mpeg" }).end(recordingAt("/1.mp3")));
  });
  const { start, run, feed } = await givenOperator(t, { allowPrivate: [new URL(host.origin).host] });
  host.answer("/feed.xml", feedXml(host.origin, items(2)));
  const killed = start(["show", "import", `${host.origin}/feed.xml`]);
  await asked.promise;
  await killed.says(/2 of 2 episodes/);
  killed.child.kill("SIGKILL");
  await killed.ended();
  held.resolve();
  const again = await run(["show", "import", `${host.origin}/feed.xml`, "--json"]);
  assert.equal(again.code, 0, again.err);
  assert.match(String((JSON.parse(again.out) as Record<string, unknown>)["left"]), /image of the show \(.*404/);
  const drawn = coverOf(await feed("chuyen-pho-dem"));
  const picture = await cover(1500);
  host.answer("/cover.jpg", (_request, response) => void response.writeHead(200, { "content-type": "image/jpeg" }).end(picture));
  const third = await run(["show", "import", `${host.origin}/feed.xml`, "--json"]);
  assert.deepEqual([third.code, (JSON.parse(third.out) as Record<string, unknown>)["left"]], [0, []], third.err);
  const came = coverOf(await feed("chuyen-pho-dem"));
  assert.notEqual(came, drawn);
  assert.deepEqual(Buffer.from(await (await fetch(came)).arrayBuffer()), picture);
});

test("a show that has the drawn cover only is given the feed's, and the import waits for it; one that somebody chose stays", async (t) => {
  const host = await givenHost(t);
  const { run, start, feed } = await givenOperator(t, { allowPrivate: [new URL(host.origin).host] });
  const without = feedXml(host.origin, items(1)).replace(/<itunes:image [^>]*>/, "");
  host.answer("/feed.xml", without);
  assert.equal((await run(["show", "import", `${host.origin}/feed.xml`])).code, 0);
  const drawn = coverOf(await feed("chuyen-pho-dem"));
  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const picture = await cover(1500);
  host.answer("/cover.jpg", (_request, response) => {
    asked.resolve();
    void held.promise.then(() => response.writeHead(200, { "content-type": "image/jpeg" }).end(picture));
  });
  host.answer("/feed.xml", feedXml(host.origin, items(1)));
  const second = start(["show", "import", `${host.origin}/feed.xml`, "--json"]);
  await asked.promise;
  held.resolve();
  assert.equal(await second.ended(120_000), 0, second.stderr());
  const came = coverOf(await feed("chuyen-pho-dem"));
  assert.notEqual(came, drawn);
  host.answer("/feed.xml", feedXml(host.origin, items(1)).replace("/cover.jpg", "/other.jpg"));
  assert.equal((await run(["show", "import", `${host.origin}/feed.xml`])).code, 0);
  assert.equal(coverOf(await feed("chuyen-pho-dem")), came);
  assert.equal(host.asked.get("GET /other.jpg"), undefined);
});

test("a locked feed needs its owner's word, and two feeds never become one show", async (t) => {
  const host = await givenHost(t);
  const { run } = await givenOperator(t, { allowPrivate: [new URL(host.origin).host] });
  host.answer("/locked.xml", feedXml(host.origin, items(1), '<podcast:locked owner="maya@example.com">yes</podcast:locked>'));
  host.answer("/other.xml", feedXml(host.origin, items(1)));
  const refused = await run(["show", "import", `${host.origin}/locked.xml`]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /The feed is locked: its owner \(maya@example\.com\).*--mine/);
  const mine = await run(["show", "import", `${host.origin}/locked.xml`, "--mine"]);
  assert.equal(mine.code, 0, mine.err);
  const other = await run(["show", "import", `${host.origin}/other.xml`]);
  assert.equal(other.code, 2);
  assert.match(other.err, /There is a show named chuyen-pho-dem that was not imported from this feed.*--name/);
});
