import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { createAddressPolicy } from "../../src/kit/addresses.ts";
import { buildFeed, podcastGuid } from "../../src/media/feed.ts";
import { parseFeed, readFeed } from "../../src/media/read-feed.ts";
import { tempDir } from "../support/temp.ts";

const written = {
  show: {
    title: "Chuyện phố",
    description: "Kể & nghe",
    link: "https://studio.example.com/s/pho",
    language: "vi",
    author: "Mai",
    ownerEmail: "mai@example.com",
    imageUrl: "https://studio.example.com/c.png",
    categories: [{ name: "Society & Culture" }],
    explicit: true,
    locked: true,
  },
  episodes: [
    {
      guid: "e1",
      title: "Tập một",
      link: "https://studio.example.com/e/1",
      html: "<p>Chào <b>bạn</b></p>",
      text: "Chào bạn",
      publishedAt: new Date("2026-03-07T08:00:00Z"),
      enclosure: { url: "https://studio.example.com/1.mp3", bytes: 3, mime: "audio/mpeg" },
      seconds: 4,
      imageUrl: null,
      narrated: true,
    },
  ],
  feedUrl: "https://studio.example.com/feeds/pho.xml",
  generator: "test",
};

const channel = (inner: string): string =>
  `<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>T</title>${inner}</channel></rss>`;

test("what our own feeds say is read back", () => {
  const { show } = written;
  assert.deepEqual(parseFeed(buildFeed(written)), {
    title: show.title,
    description: show.description,
    language: "vi",
    author: "Mai",
    ownerEmail: "mai@example.com",
    locked: true,
    podcastGuid: podcastGuid(written.feedUrl),
    category: "Society & Culture",
    explicit: true,
    episodes: [
      {
        guid: "e1",
        title: "Tập một",
        html: "<p>Chào <b>bạn</b></p>",
        publishedAt: new Date("2026-03-07T08:00:00Z"),
        audioUrl: "https://studio.example.com/1.mp3",
      },
    ],
  });
});

test("the owner is itunes:owner's e-mail, else the lock's; no word is no lock", () => {
  const owner = "<itunes:owner><itunes:name>M</itunes:name><itunes:email>m@example.com</itunes:email></itunes:owner>";
  assert.equal(parseFeed(channel(`${owner}<podcast:locked owner="x@example.com">no</podcast:locked>`)).ownerEmail, "m@example.com");
  assert.equal(parseFeed(channel('<podcast:locked owner="x@example.com">yes</podcast:locked>')).ownerEmail, "x@example.com");
  assert.deepEqual([parseFeed(channel("")).ownerEmail, parseFeed(channel("")).locked], ["", false]);
  assert.equal(parseFeed(channel("<podcast:locked>yes</podcast:locked>")).locked, true);
});

test("an item without a recording is no episode, one without a date has none", () => {
  const item = (inner: string): string => `<item><title>E</title>${inner}</item>`;
  const sound = '<enclosure url="https://a.example/1.mp3" length="1" type="audio/mpeg"/>';
  const { episodes } = parseFeed(channel(item("") + item(`${sound}<pubDate>soon</pubDate>`)));
  assert.deepEqual(
    episodes.map(({ audioUrl, publishedAt, guid }) => [audioUrl, publishedAt, guid]),
    [["https://a.example/1.mp3", null, "https://a.example/1.mp3"]],
  );
});

test("what is no feed, and what lies in a private network, is a sentence; nothing stays on disk", async (t) => {
  const server = createServer((_request, response) => response.setHeader("content-type", "application/xml").end("<opml></opml>"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  const folder = await tempDir(t);
  const read = async (allowed: string[]): Promise<string> => {
    const policy = createAddressPolicy(allowed);
    t.after(async () => policy.close());
    const options = { policy, deadlineMs: 5000, signal: AbortSignal.timeout(10_000), folder };
    return readFeed(`http://${host}/feed.xml`, options).then(
      () => "read",
      (error: unknown) => (error instanceof Failure ? error.code : String(error)),
    );
  };
  assert.equal(await read([host]), "content.feed");
  assert.equal(await read([]), "content.forbidden_address");
  assert.deepEqual(await readdir(folder), []);
});

test("a feed in Latin-1 keeps its letters, one in an encoding that nobody knows is a sentence", async (t) => {
  const xml = (label: string): string => `<?xml version="1.0" encoding="${label}"?>${channel("<itunes:author>Café</itunes:author>")}`;
  const server = createServer((request, response) => response.end(Buffer.from(xml((request.url ?? "").slice(1)), "latin1")));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  const policy = createAddressPolicy([host]);
  t.after(async () => policy.close());
  const options = { policy, deadlineMs: 5000, signal: AbortSignal.timeout(10_000), folder: await tempDir(t) };
  assert.equal((await readFeed(`http://${host}/iso-8859-1`, options)).author, "Café");
  await assert.rejects(readFeed(`http://${host}/x-of-our-own`, options), /nobody here knows \("x-of-our-own"\)/);
});
