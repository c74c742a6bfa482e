import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { episodeResources, nameOf, showResource } from "../../../src/cli/shows/feed-resources.ts";
import { episodeInput, showInput } from "../../../src/contract/podops-resource.ts";
import { fetchFeed, olderPages, parseFeedOf } from "../../../src/cli/shows/fetch-feed.ts";
import { fitResource } from "../../../src/cli/shows/fit-resource.ts";
import { UsageError } from "../../../src/kit/config.ts";
import { freePorts } from "../../support/podcrew.ts";
import { tempDir } from "../../support/temp.ts";
import { feedXml, givenHost, recordingAt } from "./given-feed.ts";

const elsewhere = "https://pod.example.com";
const parsed = (xml: string) => parseFeedOf({ url: `${elsewhere}/feed.xml`, xml });

test("a show keeps its texts, its owner, its guid and those of its categories that directories know", () => {
  const feed = parsed(feedXml(elsewhere, []));
  assert.equal(nameOf(feed, elsewhere), "chuyen-pho-dem");
  assert.deepEqual(showResource(feed, "chuyen-pho-dem"), {
    apiVersion: "v1",
    kind: "show",
    metadata: {
      name: "chuyen-pho-dem",
      labels: { language: "vi", explicit: "false", type: "serial", guid: "917393e3-1b1e-5cef-ace4-edaa54e1f810" },
    },
    description: {
      title: "Chuyện phố & đêm",
      summary: "Slow talks.",
      link: { uri: `${elsewhere}/` },
      category: [{ name: "Arts", subcategory: ["Books"] }],
      owner: { name: "Maya", email: "maya@example.com" },
      author: "Maya",
      copyright: "2026 Maya",
    },
    image: { uri: `${elsewhere}/cover.jpg`, rel: "import" },
  });
});

test("an episode keeps its guid, its date, its numbers and its notes; its name is the same whenever it is read", () => {
  const more = `<itunes:season>2</itunes:season><itunes:episode>7</itunes:episode><itunes:episodeType>bonus</itunes:episodeType>
    <itunes:image href="${elsewhere}/two.jpg"/><content:encoded><![CDATA[<p>Notes & <b>more</b></p>]]></content:encoded>`;
  const feed = parsed(feedXml(elsewhere, [{ guid: "episode seven", title: "Bảy", audio: "/7.mp3", more }]));
  const [episode] = episodeResources(feed.items ?? []);
  assert.match(episode?.metadata.name ?? "", /^feed-[0-9a-f]{24}$/);
  assert.deepEqual(episode, {
    apiVersion: "v1",
    kind: "episode",
    metadata: {
      name: episode?.metadata.name,
      date: "Sat, 31 Jan 2026 07:00:00 GMT",
      labels: { guid: "episode seven", season: "2", episode: "7", type: "bonus" },
    },
    description: { title: "Bảy", summary: "<p>Notes & <b>more</b></p>", duration: 1 },
    image: { uri: `${elsewhere}/two.jpg`, rel: "import" },
    enclosure: { uri: `${elsewhere}/7.mp3`, rel: "import", type: "audio/mpeg", size: recordingAt("/7.mp3").length, duration: 1 },
  });
  const moved = parsed(feedXml("https://new.example.com", [{ guid: "episode seven", title: "Seven", audio: "/seven.mp3" }]));
  assert.equal(episodeResources(moved.items ?? [])[0]?.metadata.name, episode?.metadata.name);
});

test("what has no recording is no episode, what has no guid is known by its recording, and a guid counts once", () => {
  const feed = parsed(
    feedXml(elsewhere, [
      { guid: "a", title: "A", audio: "/a.mp3" },
      { guid: "b", title: "A page" },
      { title: "No guid", audio: "/c.mp3" },
      { guid: "a", title: "A, once more", audio: "/a2.mp3" },
    ]),
  );
  const episodes = episodeResources(feed.items ?? []);
  assert.deepEqual(
    episodes.map(({ description, metadata }) => [description.title, metadata.labels?.guid]),
    [
      ["A", "a"],
      ["No guid", `${elsewhere}/c.mp3`],
    ],
  );
});

test("a show without a name that an address can have gets one, the same each time", () => {
  const feed = parsed(feedXml(elsewhere, []).replace("Chuyện phố &amp; đêm", "東京"));
  assert.match(nameOf(feed, `${elsewhere}/feed.xml`), /^[a-z0-9_-]{8,44}$/);
  assert.equal(nameOf(feed, `${elsewhere}/feed.xml`), nameOf(feed, `${elsewhere}/feed.xml`));
  assert.notEqual(nameOf(feed, `${elsewhere}/feed.xml`), nameOf(feed, `${elsewhere}/other.xml`));
});

test("what no studio takes is left out and named; what an episode is nothing without is a problem", () => {
  const feed = parsed(
    feedXml(elsewhere, [{ guid: "a", title: "A", audio: "/a.mp3" }])
      .replace(">vi<", ">Vietnamese!<")
      .replace("maya@", "maya at "),
  );
  const show = fitResource(showInput, showResource(feed, "my-own-show"));
  assert.deepEqual([show.left.toSorted(), show.problem], [["description.owner", "metadata.labels.language"], ""]);
  assert.equal(showInput.safeParse(show.resource).success, true);
  const [episode] = episodeResources(feed.items ?? []);
  assert.ok(episode);
  assert.deepEqual(fitResource(episodeInput, episode), { resource: episode, left: [], problem: "" });
  const nowhere = { ...episode, enclosure: { uri: "ftp://pod.example.com/a.mp3", rel: "import" as const } };
  assert.match(fitResource(episodeInput, nowhere).problem, /^enclosure\.uri not an http\(s\) address/);
});

test("older pages of a feed are read to their end, each once, also where they lead back", async (t) => {
  const host = await givenHost(t);
  const page = (guid: string, rel: string, href: string): string =>
    feedXml(host.origin, [{ guid, title: guid, audio: `/${guid}.mp3` }], `<atom:link rel="${rel}" href="${href}"/>`);
  host.answer("/feed.xml", page("c", "prev-archive", "/archive-2.xml"));
  host.answer("/archive-2.xml", page("b", "prev-archive", `${host.origin}/archive-1.xml`));
  host.answer("/archive-1.xml", page("a", "next", "/feed.xml"));
  const first = await fetchFeed(`${host.origin}/feed.xml`);
  const pages = [first];
  for await (const page of olderPages(first)) pages.push(page);
  const guids = pages.flatMap((one) => parseFeedOf(one).items?.[0]?.guid?.value);
  assert.deepEqual(guids, ["c", "b", "a"]);
  assert.equal(host.asked.get("GET /feed.xml"), 1);
});

test("what is no feed, is gone, or leads round in a circle is one sentence", async (t) => {
  const [shut] = await freePorts(1);
  const host = await givenHost(t, { "/page": "<html><body>Sign in</body></html>" });
  host.answer("/round", (_request, response) => void response.writeHead(302, { location: "/round" }).end());
  const said = async (path: string): Promise<string> =>
    fetchFeed(path).then(
      (feed) => assert.throws(() => parseFeedOf(feed), UsageError) ?? "no feed",
      (error: UsageError) => error.message,
    );
  assert.equal(await said(`${host.origin}/page`), "no feed");
  assert.match(await said(`${host.origin}/gone`), /was answered with 404 \(Not Found\), not with a feed/);
  assert.match(await said(`${host.origin}/round`), /more than 5 times/);
  assert.match(await said(`http://127.0.0.1:${shut}/feed.xml`), /can't be fetched \(ECONNREFUSED\)/);
  assert.match(await said("nowhere.xml"), /neither an http\(s\) address nor a file that can be read \(ENOENT\)/);
});

test("a feed is read in its own encoding, and one in an encoding that nobody knows is refused with a sentence", async (t) => {
  const [host, folder] = [await givenHost(t), await tempDir(t)];
  const path = join(folder, "feed.xml");
  const xml = feedXml(host.origin, []).replace(/<title>Chuy[^<]*/, "<title>Café du matin");
  const declared = (label: string): string => xml.replace('"UTF-8"', `"${label}"`);
  const latin = Buffer.from(declared("ISO-8859-1"), "latin1");
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(declared("UTF-16"), "utf16le")]);
  for (const bytes of [latin, utf16, Buffer.from(xml), Buffer.from(declared("UTF-16")), Buffer.from(`\u{feff}${xml}`)]) {
    await writeFile(path, bytes);
    assert.equal(parseFeedOf(await fetchFeed(path)).title, "Café du matin");
  }
  const serve = (type: string, bytes: Buffer): void =>
    host.answer("/latin.xml", (_request, response) => void response.writeHead(200, { "content-type": type }).end(bytes));
  const title = async () => parseFeedOf(await fetchFeed(`${host.origin}/latin.xml`)).title;
  serve("application/rss+xml; charset=iso-8859-1", Buffer.from(xml, "latin1"));
  assert.equal(await title(), "Café du matin");
  serve("text/xml; charset=ISO-8859-1", Buffer.from(xml));
  assert.equal(await title(), "Café du matin", "UTF-8, whatever the server says of all its files");
  await writeFile(path, Buffer.from(declared("x-of-our-own"), "latin1"));
  await assert.rejects(
    fetchFeed(path),
    (error) => error instanceof UsageError && /nobody here knows \("x-of-our-own"\)/.test(error.message),
  );
});
