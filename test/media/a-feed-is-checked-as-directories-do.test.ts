import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFeed, feedRules, type FeedReport } from "../../src/media/check-feed.ts";
import { buildFeed } from "../../src/media/feed.ts";

const now = Date.parse("2026-11-22T00:00:00Z");
const url = "https://pod.example.com/feeds/show.xml";
const good = buildFeed({
  show: {
    title: "Chuyện nhà",
    description: "Mỗi tuần một câu chuyện.",
    link: "https://pod.example.com/show",
    language: "vi",
    author: "Ánh",
    ownerEmail: "anh@example.com",
    imageUrl: "https://pod.example.com/media/cover.jpg",
    categories: [{ name: "Society & Culture", sub: "Documentary" }],
    explicit: false,
    locked: true,
  },
  episodes: [
    {
      guid: "91804b93b56a",
      title: "Tập 1",
      link: "https://pod.example.com/e/1",
      html: "<p>Nội dung</p>",
      text: "Nội dung",
      publishedAt: new Date("2026-11-20T08:00:00Z"),
      enclosure: { url: "https://pod.example.com/media/1.mp3", bytes: 123, mime: "audio/mpeg" },
      seconds: 61,
      imageUrl: "https://pod.example.com/media/1.jpg",
      narrated: true,
      season: 1,
      episode: 1,
      transcripts: [{ url: "https://pod.example.com/t/1.vtt", mime: "text/vtt" }],
    },
  ],
  feedUrl: url,
  generator: "Podcrew",
});

const check = (xml: string): FeedReport => checkFeed(xml, { url, now });
const [item = ""] = /<item>[^]*<\/item>\n/.exec(good) ?? [];

test("nothing is wrong with a feed of ours", () => {
  assert.deepEqual(check(good), {
    valid: true,
    title: "Chuyện nhà",
    link: "https://pod.example.com/show",
    episodes: 1,
    older: null,
    findings: [],
  });
});

/** What breaks each rule: a part of the good feed, and what stands there instead. */
const breaks: Readonly<Record<string, readonly [from: string | RegExp, to: string]>> = {
  "show.title.missing": [/<title>Chuyện nhà<\/title>\n/, ""],
  "show.link": [/<link>https:\/\/pod.example.com\/show<\/link>/, "<link>/show</link>"],
  "show.description.missing": [/<description>Mỗi.*?<\/description>/, "<description> </description>"],
  "show.description.long": ["Mỗi tuần một câu chuyện.", "ơ".repeat(4001)],
  "show.language.missing": ["<language>vi</language>\n", ""],
  "show.language.unknown": ["<language>vi</language>", "<language>Tiếng Việt</language>"],
  "show.image": ['<itunes:image href="https://pod.example.com/media/cover.jpg"/>', ""],
  "show.image.kind": [
    '<itunes:image href="https://pod.example.com/media/cover.jpg"/>',
    '<itunes:image href="https://pod.example.com/cover.webp"/>',
  ],
  "show.category.missing": [/<itunes:category[^]*<\/itunes:category>/, ""],
  "show.category.unknown": ['text="Society &amp; Culture"', 'text="Stories"'],
  "show.subcategory.unknown": ['text="Documentary"', 'text="Documents"'],
  "show.explicit.missing": ["<itunes:explicit>false</itunes:explicit>\n<itunes:type>", "<itunes:type>"],
  "show.explicit.word": [
    "<itunes:explicit>false</itunes:explicit>\n<itunes:type>",
    "<itunes:explicit>clean</itunes:explicit><itunes:type>",
  ],
  "show.author.missing": ["<itunes:author>Ánh</itunes:author>\n<itunes:owner>", "<itunes:owner>"],
  "show.owner.missing": [/<itunes:owner>[^]*<\/itunes:owner>|owner="anh@example.com"/g, ""],
  "show.owner.address": ["<itunes:email>anh@example.com</itunes:email>", "<itunes:email>anh at example.com</itunes:email>"],
  "show.type.unknown": ["<itunes:type>episodic</itunes:type>", "<itunes:type>daily</itunes:type>"],
  "show.hidden": ["<itunes:type>", "<itunes:block>Yes</itunes:block><itunes:type>"],
  "show.complete": ["<itunes:type>", "<itunes:complete>yes</itunes:complete><itunes:type>"],
  "show.moved": ["<itunes:type>", "<itunes:new-feed-url>https://new.example.com/f.xml</itunes:new-feed-url><itunes:type>"],
  "show.date": [/<lastBuildDate>.*?<\/lastBuildDate>/, "<lastBuildDate>2026-11-20T08:00:00Z</lastBuildDate>"],
  "show.self.missing": [/<atom:link [^>]*rel="self"[^>]*>/, ""],
  "show.self.other": [`href="${url}" rel="self"`, 'href="https://pod.example.com/old.xml" rel="self"'],
  "show.guid": [/<podcast:guid>.*?<\/podcast:guid>/, "<podcast:guid>my-show</podcast:guid>"],
  "show.locked": [/<podcast:locked.*?<\/podcast:locked>/, ""],
  "show.episodes.none": [item, ""],
  "show.pages.archive": ["<itunes:type>", "<fh:archive/><itunes:type>"],
  "show.pages.link": ["<itunes:type>", `<atom:link rel="next" href="${url}"/><itunes:type>`],
  "episode.title.missing": [/<title>Tập 1<\/title>|<itunes:title>Tập 1<\/itunes:title>/g, ""],
  "episode.enclosure.missing": [/<enclosure [^>]*>/, ""],
  "episode.enclosure.url": ['<enclosure url="https://pod.example.com/media/1.mp3"', '<enclosure url="/media/1.mp3"'],
  "episode.enclosure.length": ['length="123"', 'length="0"'],
  "episode.enclosure.type": ['length="123" type="audio/mpeg"', 'length="123"'],
  "episode.enclosure.kind": ['type="audio/mpeg"', 'type="audio/ogg"'],
  "episode.enclosure.ending": ["/media/1.mp3", "/media/1"],
  "episode.enclosure.several": ["<enclosure ", '<enclosure url="https://pod.example.com/2.mp3" length="1" type="audio/mpeg"/><enclosure '],
  "episode.guid.missing": [/<guid .*?<\/guid>/, ""],
  "episode.guid.shared": [item, item + item],
  "episode.guid.link": ['<guid isPermaLink="false">', "<guid>"],
  "episode.date": [/<pubDate>Fri, 20 Nov 2026 08:00:00 GMT<\/pubDate>\n<enclosure/, "<pubDate>20.11.2026</pubDate><enclosure"],
  "episode.date.future": [/<pubDate>[^<]*<\/pubDate>\n<enclosure/, "<pubDate>Fri, 20 Nov 2027 08:00:00 GMT</pubDate><enclosure"],
  "episode.duration": ["<itunes:duration>61<", "<itunes:duration>one minute<"],
  "episode.description.missing": [/<description>Nội dung<\/description>|<content:encoded>.*?<\/content:encoded>/g, ""],
  "episode.description.long": ["<description>Nội dung", `<description>${"Nội dung ".repeat(500)}`],
  "episode.explicit.word": [
    "<itunes:explicit>false</itunes:explicit>\n<itunes:episodeType>",
    "<itunes:explicit>no</itunes:explicit><itunes:episodeType>",
  ],
  "episode.kind.unknown": ["<itunes:episodeType>full<", "<itunes:episodeType>special<"],
  "episode.number": ["<itunes:season>1<", "<itunes:season>one<"],
  "episode.number.missing": [/<itunes:type>episodic|<itunes:episode>1<\/itunes:episode>/g, "<itunes:type>serial"],
  "episode.image": ['<itunes:image href="https://pod.example.com/media/1.jpg"/>', '<itunes:image href="1.jpg"/>'],
  "episode.transcript": ['type="text/vtt"', 'type="vtt"'],
};

test("each rule finds what breaks it, and nothing else does", () => {
  assert.deepEqual(Object.keys(breaks).toSorted(), feedRules.map(({ code }) => code).toSorted());
  for (const [code, [from, to]] of Object.entries(breaks)) {
    const xml =
      code === "episode.number.missing"
        ? good.replace("episodic", "serial").replace(/<itunes:episode>1<\/itunes:episode>/, "")
        : good.replace(from, to);
    assert.notEqual(xml, good, code);
    const { valid, findings } = check(xml);
    assert.deepEqual([...new Set(findings.map((finding) => finding.code))], [code], xml);
    const [finding] = findings;
    assert.equal(valid, finding?.level !== "error", code);
    assert.match(finding?.say ?? "", /^\S.*[.\w)"/]$/, code);
    assert.match(finding?.fix ?? "", /\.$/, code);
    assert.equal(
      finding?.where,
      code.startsWith("show.") ? "the show" : code === "episode.title.missing" ? "episode 1" : 'episode "Tập 1"',
    );
  }
});

test("a rule that many episodes break is one finding, which says how many and where the first one is", () => {
  const { findings, episodes } = check(good.replace(item, (item + item).replaceAll(/<guid .*?<\/guid>/g, "")));
  assert.equal(episodes, 2);
  assert.deepEqual(
    findings.map(({ code, times, line }) => [code, times, line]),
    [["episode.guid.missing", 2, good.slice(0, good.indexOf("<item>")).split("\n").length]],
  );
});

test("errors come first, and hints don't make a feed invalid", () => {
  const xml = good.replace("<itunes:type>", "<itunes:block>Yes</itunes:block><itunes:type>");
  assert.equal(check(xml).valid, true);
  assert.deepEqual(
    check(xml.replace(/<guid .*?<\/guid>/, "").replace("<itunes:duration>61", "<itunes:duration>x")).findings.map(({ level }) => level),
    ["error", "warning", "hint"],
  );
});

test("what is no feed is said in one sentence, with the line", () => {
  const said = (xml: string): string =>
    check(xml)
      .findings.map(({ code, line, say }) => `${code} ${line} ${say}`)
      .join();
  assert.equal(said("<html><body/></html>"), "rss.missing 1 The document is no RSS feed: it begins with <html>.");
  assert.equal(said('<rss version="2.0"></rss>'), "rss.missing 1 The feed has no channel.");
  assert.equal(
    said('<rss version="2.0">\n<channel>\n<title>Tom & Jerry</title></channel></rss>'),
    'xml.broken 3 The document is not well-formed: a bare "&"; in text it is &amp;.',
  );
  assert.match(said(""), /^xml\.broken 1 /);
});

test("namespaces count, not the prefixes that a feed gives them", () => {
  const renamed = good.replaceAll("itunes:", "it:").replace("xmlns:it:", "xmlns:itunes:").replace("xmlns:itunes=", "xmlns:it=");
  assert.deepEqual(check(renamed).findings, []);
});
