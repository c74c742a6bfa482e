import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFeed } from "../../../src/media/check-feed.ts";
import { eachBackend, givenPglite } from "../../support/store.ts";
import { givenShow, givenStudio, showName, signedIn, wav } from "../support.ts";
import { days, givenDays, readAll, readPage } from "./support.ts";

eachBackend("every episode is on exactly one page, whichever links a reader follows", async (t, given) => {
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  await givenDays(given.store, studio, 1, 1620);
  const feed = `${studio.url}/feeds/${showName}`;
  const pages = await readAll(studio);
  assert.deepEqual(
    pages.map(({ url, archive, titles }) => [url, archive, titles]),
    [
      [`${feed}.xml`, false, days(1620, 1001)],
      [`${feed}/2.xml`, true, days(1000, 501)],
      [`${feed}/1.xml`, true, days(500, 1)],
    ],
  );
  const byNext = await readAll(studio, "next");
  assert.deepEqual(
    byNext.map(({ url }) => url),
    pages.map(({ url }) => url),
  );
  const [current, second, first] = pages.map(({ links }) => links);
  assert.deepEqual(current, {
    self: `${feed}.xml`,
    "prev-archive": `${feed}/2.xml`,
    first: `${feed}.xml`,
    next: `${feed}/2.xml`,
    last: `${feed}/1.xml`,
  });
  assert.deepEqual([second?.["current"], second?.["next-archive"], second?.["previous"]], [`${feed}.xml`, undefined, `${feed}.xml`]);
  assert.deepEqual([first?.["next-archive"], first?.["previous"], first?.["prev-archive"]], [`${feed}/2.xml`, `${feed}/2.xml`, undefined]);
  for (const { xml, url, archive } of pages) {
    const { valid, findings } = checkFeed(xml, { url });
    assert.equal(valid, true);
    assert.deepEqual(
      findings.map(({ code }) => code),
      archive ? ["show.pages.archive"] : [],
    );
  }
});

test("one episode more changes the feed itself and no archive, until the oldest of it make an archive of their own", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  await givenDays(given.store, studio, 1, 999);
  assert.deepEqual(
    (await readAll(studio)).map(({ titles, links }) => [titles.length, Object.keys(links)]),
    [[999, ["self"]]],
  );
  await givenDays(given.store, studio, 1000, 1000);
  const before = await readAll(studio);
  assert.deepEqual(
    before.map(({ titles }) => titles.length),
    [500, 500],
  );
  const maya = await signedIn(studio);
  await maya.publish(await maya.draft({ title: "Today" }));
  const after = await readAll(studio);
  assert.deepEqual(after[0]?.titles, ["Today", ...days(1000, 501)]);
  assert.deepEqual([after[1]?.xml, after[1]?.etag], [before[1]?.xml, before[1]?.etag]);
});

test("an old episode's new words are on its page, and the feed itself is not sent again", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  await givenDays(given.store, studio, 1, 1100);
  const before = await readAll(studio);
  const maya = await signedIn(studio);
  const audio = await maya.upload("audio", "new.wav", wav(1));
  await maya.settled(audio.json["guid"]);
  const path = `/shows/${showName}/episodes/e${(7).toString(16).padStart(11, "0")}`;
  assert.equal((await maya.call("PUT", path, { title: "Day 7, corrected", audio: audio.json["guid"] })).status, 200);
  const after = await readAll(studio);
  assert.equal(after[0]?.etag, before[0]?.etag);
  assert.deepEqual(after[1]?.titles.slice(-7, -5), ["Day 7, corrected", "Day 6"]);
  assert.deepEqual(after[1]?.guids, before[1]?.guids);
});

test("what is no page of the feed is not found", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  await givenDays(given.store, studio, 1, 1000);
  for (const [path, status] of [
    ["", 200],
    ["/1", 200],
    ["/0", 404],
    ["/01", 404],
    ["/2", 404],
    ["/999999", 404],
    ["/x", 404],
  ] as const) {
    assert.equal((await fetch(`${studio.url}/feeds/${showName}${path}.xml`)).status, status, path);
  }
  assert.equal((await readPage(`${studio.url}/feeds/${showName}/1.xml`)).archive, true);
});
