import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { checkCover, checkDelivery, checkRecordings, type Finding } from "../../../src/cli/shows/check-answers.ts";
import { fetchFeed, parseFeedOf } from "../../../src/cli/shows/fetch-feed.ts";
import { countFindings, renderFindings } from "../../../src/cli/shows/report.ts";
import { cover, feedXml, givenHost, recordingAt } from "./given-feed.ts";

const codes = (findings: readonly Finding[]): string[] => findings.map(({ code }) => code);

test("a host that answers as it should is not blamed", async (t) => {
  const host = await givenHost(t);
  host.answer("/feed.xml", feedXml(host.origin, [{ guid: "a", title: "A", audio: "/a.mp3" }]));
  const fetched = await fetchFeed(`${host.origin}/feed.xml`);
  const feed = parseFeedOf(fetched);
  // Nothing here is sent over https.
  assert.deepEqual(codes(checkDelivery(fetched)), ["answer.feed.https"]);
  assert.deepEqual(await checkRecordings(feed.items ?? []), []);
  assert.deepEqual(await checkCover(feed), []);
});

test("a feed that is called a page, can't be asked for cheaply, or is somewhere else for now is told", async (t) => {
  const host = await givenHost(t);
  const xml = feedXml(host.origin, []);
  host.answer("/old.xml", (_request, response) => void response.writeHead(302, { location: "/feed" }).end());
  host.answer("/feed", (_request, response) => void response.writeHead(200, { "content-type": "text/html" }).end(xml));
  assert.deepEqual(codes(checkDelivery(await fetchFeed(`${host.origin}/old.xml`))), [
    "answer.feed.type",
    "answer.feed.validators",
    "answer.feed.redirect",
    "answer.feed.https",
  ]);
});

test("a recording without HEAD, without ranges, of another length or type is told, with its address", async (t) => {
  const host = await givenHost(t);
  const whole = recordingAt("/no-range.mp3");
  host.answer("/no-head.mp3", ({ method }, response) => void response.writeHead(method === "HEAD" ? 405 : 200).end());
  host.answer("/no-range.mp3", ({ method }, response) => {
    response.writeHead(200, { "content-type": "audio/mpeg", "content-length": whole.length });
    response.end(method === "HEAD" ? undefined : whole);
  });
  host.answer(
    "/page.mp3",
    (_request, response) => void response.writeHead(206, { "content-type": "text/html", "content-length": 2 }).end("ok"),
  );
  const items = ["/no-head.mp3", "/no-range.mp3", "/page.mp3", "/gone.mp3", "/fine.mp3"].map((audio) => ({
    guid: audio,
    title: audio,
    audio,
  }));
  host.answer("/gone.mp3", (_request, response) => void response.writeHead(404).end());
  const findings = await checkRecordings(parseFeedOf({ url: "", xml: feedXml(host.origin, items) }).items ?? []);
  assert.deepEqual(
    findings.map(({ code, where, level, times }) => [code, where.replace(host.origin, ""), level, times]),
    [
      ["answer.media.head", "/no-head.mp3", "error", 2],
      ["answer.media.range", "/no-range.mp3", "error", 1],
      ["answer.media.length", "/page.mp3", "warning", 1],
      ["answer.media.type", "/page.mp3", "error", 1],
    ],
  );
});

test("a cover is judged by its pixels, not by its name", async (t) => {
  const host = await givenHost(t);
  const feed = parseFeedOf({ url: "", xml: feedXml(host.origin, []) });
  const said = async (body: Buffer): Promise<string[]> => {
    host.answer("/cover.jpg", (_request, response) => void response.writeHead(200, { "content-type": "image/jpeg" }).end(body));
    return (await checkCover(feed)).map(({ say }) => say);
  };
  assert.deepEqual(await said(await cover(900, "jpeg", 500)), ["The cover is 900 x 500 pixels."]);
  assert.deepEqual(await said(await cover(1400, "webp")), ["The cover is webp."]);
  assert.deepEqual(await said(Buffer.from("no picture")), ["The cover is no picture."]);
  host.answer("/cover.jpg", (_request, response) => void response.writeHead(410).end());
  assert.deepEqual(
    (await checkCover(feed)).map(({ say }) => say),
    ["The cover was answered with 410."],
  );
});

test("a report begins with what has to be mended, says each kind once, and steers no terminal", () => {
  const warning = { level: "warning", code: "answer.feed.https", where: "the feed", say: "No https.", fix: "Use it.", times: 1 } as const;
  const error = {
    level: "error",
    code: "episode.title",
    where: "episode \u001b[2J1",
    line: 12,
    asks: "RSS",
    say: "It has no title.",
    fix: "Give it one.",
    times: 3,
  } as const;
  assert.equal(
    stripVTControlCharacters(renderFindings([warning, error])),
    `error    episode \uFFFD[2J1, line 12: It has no title.
         Give it one.  episode.title, RSS
         And 2 more like this.
warning  the feed: No https.
         Use it.  answer.feed.https`,
  );
  assert.equal(countFindings([warning, error]).text, "3 errors, 1 warning");
  assert.equal(countFindings([]).text, "no problem was found");
});
