import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRssFeed } from "feedsmith";
import { buildFeed, podcastGuid } from "../../src/media/feed.ts";
import type { FeedEpisode, FeedShow } from "../../src/media/feed-model.ts";

const show: FeedShow = {
  title: "Chuyện nhà & vườn",
  description: "<p>Mỗi tuần một câu chuyện.</p>",
  link: "https://pod.example.com/show",
  language: "vi",
  author: "Nguyễn Thị Ánh",
  ownerEmail: "anh@example.com",
  imageUrl: "https://pod.example.com/media/cover.jpg",
  categories: [{ name: "Society & Culture", sub: "Documentary" }],
  explicit: false,
  locked: true,
};

function episode(change: Partial<FeedEpisode> = {}): FeedEpisode {
  return {
    guid: "91804b93b56a",
    title: "Tập 1: Đường về nhà",
    link: "https://pod.example.com/e/show/91804b93b56a",
    html: "<p>Nội dung <strong>tập 1</strong></p>",
    text: "Nội dung tập 1",
    publishedAt: new Date("2026-11-20T08:00:00Z"),
    enclosure: { url: "https://pod.example.com/media/ep-1.mp3", bytes: 123_456, mime: "audio/mpeg" },
    seconds: 61.4,
    imageUrl: null,
    narrated: true,
    ...change,
  };
}

const build = (episodes: FeedEpisode[], changed: Partial<FeedShow> = {}) =>
  buildFeed({ show: { ...show, ...changed }, episodes, feedUrl: "https://pod.example.com/feeds/show.xml", generator: "Podcrew" });

test("everything that directories ask for is in the feed", () => {
  const xml = build([episode()]);
  for (const part of [
    '<?xml version="1.0" encoding="utf-8"?>',
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"',
    'xmlns:content="http://purl.org/rss/1.0/modules/content/"',
    'xmlns:podcast="https://podcastindex.org/namespace/1.0"',
    '<atom:link href="https://pod.example.com/feeds/show.xml" rel="self" type="application/rss+xml"/>',
    "<language>vi</language>",
    '<itunes:image href="https://pod.example.com/media/cover.jpg"/>',
    '<itunes:category text="Society &amp; Culture">',
    '<itunes:category text="Documentary"/>',
    "<itunes:explicit>false</itunes:explicit>",
    "<itunes:author>Nguyễn Thị Ánh</itunes:author>",
    "<itunes:email>anh@example.com</itunes:email>",
    '<podcast:locked owner="anh@example.com">yes</podcast:locked>',
    '<podcast:txt purpose="ai-content">true</podcast:txt>',
    '<enclosure url="https://pod.example.com/media/ep-1.mp3" length="123456" type="audio/mpeg"/>',
    '<guid isPermaLink="false">91804b93b56a</guid>',
    "<pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate>",
    "<itunes:duration>61</itunes:duration>",
    "<content:encoded><![CDATA[<p>Nội dung <strong>tập 1</strong></p>]]></content:encoded>",
    "<title><![CDATA[Chuyện nhà & vườn]]></title>",
  ]) {
    assert.ok(xml.includes(part), `missing: ${part}\n${xml}`);
  }
});

test("Vietnamese comes back as it was written, also when decomposed", () => {
  const title = "Tập 2: \u1EA4m áp — “gia đình” & bạn bè, Vie\u0323\u0302t Nam";
  assert.equal(parseRssFeed(build([episode({ title })])).items?.[0]?.title, title);
});

test("no text of an author can break out of the feed", () => {
  const html = "<p>]]> &amp; &apos;x&apos; </content:encoded> \n <![CDATA[ y ]]> <itunes:explicit>yes</itunes:explicit></p>";
  const xml = build([episode({ html, title: "a ]]> b < c &apos;d&apos;" })]);
  const item = parseRssFeed(xml).items?.[0];
  assert.equal(item?.title, "a ]]> b < c &apos;d&apos;");
  assert.equal(xml.split("<item>").length, 2);
  const sections = [...(xml.split("<content:encoded>")[1] ?? "").matchAll(/<!\[CDATA\[([\s\S]*?)\]\]>/g)].map(([, text]) => text);
  assert.ok(sections.join("").startsWith(html), sections.join(""));
});

test("characters that XML forbids are left out, not escaped", () => {
  const xml = build([episode({ title: "a\u0000b\u0008c\u001Bd\uFFFEe\uD800f 😀", html: "<p>x\u000By</p>" })]);
  assert.equal(parseRssFeed(xml).items?.[0]?.title, "abcdef 😀");
  assert.ok(xml.includes("<p>xy</p>"));
  assert.doesNotMatch(xml, /&#(x0|0)?[0-8];/);
});

test("the newest episode stands first", () => {
  const dates = ["2026-01-02", "2026-03-04", "2026-02-03"];
  const xml = build(dates.map((date) => episode({ guid: date, publishedAt: new Date(date) })));
  assert.deepEqual(
    parseRssFeed(xml).items?.map((item) => item.guid?.value),
    ["2026-03-04", "2026-02-03", "2026-01-02"],
  );
});

test("the same input gives the same bytes", () => {
  assert.equal(build([episode()]), build([episode()]));
});

test("two episodes with one guid are refused", () => {
  assert.throws(() => build([episode(), episode({ title: "Tập 2" })]), /share the guid 91804b93b56a.*Tập 2/);
});

test("a show without episodes has a valid feed too", () => {
  const xml = build([]);
  assert.equal(parseRssFeed(xml).title, "Chuyện nhà & vườn");
  assert.doesNotMatch(xml, /<item>/);
});

test("an owner who wants no mail is not named, a read text is", () => {
  const xml = build([episode({ narrated: false })], { ownerEmail: null, locked: false });
  assert.doesNotMatch(xml, /itunes:owner|anh@example|ai-content/);
  assert.match(xml, /<podcast:locked>no</);
});

test("the feed's id is the one that Podcasting 2.0 derives from its address", () => {
  // The example of the namespace's own documentation.
  assert.equal(podcastGuid("https://podnews.net/rss"), "9b024349-ccf0-5f69-a609-6b82873eab3c");
  assert.equal(podcastGuid("http://podnews.net/rss/"), podcastGuid("https://podnews.net/rss"));
});
