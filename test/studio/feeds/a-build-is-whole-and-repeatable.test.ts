import assert from "node:assert/strict";
import { readdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openVault } from "../../../src/store/vault.ts";
import { eachBackend, givenPglite, givenPostgres } from "../../support/store.ts";
import { postgresMissing } from "../../support/postgres.ts";
import { tempDir } from "../../support/temp.ts";
import { virtualClock } from "../../support/virtual-clock.ts";
import { givenShow, givenStudio, showName, signedIn } from "../support.ts";
import { days, givenDays, readAll, readPage } from "./support.ts";

const publicUrl = "https://pod.example.com";
/** The feed names its pages by the public address; the test reads them from the listener. */
const bytesOf = async (url: string): Promise<string[]> =>
  Promise.all([`${showName}.xml`, `${showName}/1.xml`].map(async (path) => (await fetch(`${url}/feeds/${path}`)).text()));

eachBackend("the same rows make the same bytes, on another day, in another folder", async (t, given) => {
  const config = { publicUrl, allowedHosts: ["127.0.0.1"] };
  const first = await givenStudio(t, given, { config, clock: virtualClock(Date.parse("2026-11-20T08:00:00Z")) });
  await givenShow(first);
  await givenDays(given.store, first, 1, 1100);
  const before = await bytesOf(first.url);
  assert.match(before[0] ?? "", /<title>Day 1100<\/title>/);
  await first.close();
  await given.store.raw("delete from studio.feed_pages");
  await given.store.raw("delete from studio.feeds");
  const dataDir = await tempDir(t, "elsewhere");
  const vault = openVault({ dataDir: given.dataDir, embedded: true });
  const second = await givenStudio(t, { ...given, dataDir }, { config, vault, clock: virtualClock(Date.parse("2027-01-01T00:00:00Z")) });
  assert.deepEqual(await bytesOf(second.url), before);
});

test("documents that are lost on this machine are written again, with the same ETag", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  await givenDays(given.store, studio, 1, 1000);
  const before = await readAll(studio);
  await rm(join(given.dataDir, "studio", "feeds"), { recursive: true });
  const after = await readAll(studio);
  assert.deepEqual(after, before);
});

test("what is published is in the feed also when the studio ends before anybody reads it", async (t) => {
  const given = await givenPglite(t);
  const first = await givenStudio(t, given);
  await givenShow(first);
  await readAll(first);
  const maya = await signedIn(first);
  await maya.publish(await maya.draft({ title: "Last words" }));
  await first.close();
  const second = await givenStudio(t, given);
  assert.deepEqual((await readAll(second))[0]?.titles, ["Last words"]);
});

test("readers who come at the same time as episodes get whole documents, and in the end all episodes", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  await givenDays(given.store, studio, 1, 990);
  const done = new AbortController();
  const seen: number[] = [];
  const reader = async (): Promise<void> => {
    while (!done.signal.aborted) {
      const pages = await readAll(studio);
      const titles = pages.flatMap((page) => page.titles);
      assert.equal(new Set(titles).size, titles.length, "an episode is on two pages");
      seen.push(titles.length);
    }
  };
  const readers = [reader(), reader()];
  for (let day = 991; day <= 1010; day++) await givenDays(given.store, studio, day, day);
  done.abort();
  await Promise.all(readers);
  assert.ok(seen.length > 0);
  assert.deepEqual(
    (await readAll(studio)).flatMap(({ titles }) => titles),
    days(1010, 1),
  );
});

test("two studios on one database never put an older feed over a newer one", { skip: postgresMissing ?? false }, async (t) => {
  const given = await givenPostgres(t);
  const config = { publicUrl, allowedHosts: ["127.0.0.1"] };
  const first = await givenStudio(t, given, { config });
  const vault = openVault({ dataDir: given.dataDir, embedded: true });
  const second = await givenStudio(t, { ...given, dataDir: await tempDir(t, "second") }, { config, vault });
  await givenShow(first);
  for (let day = 1; day <= 12; day++) {
    await givenDays(given.store, first, day, day);
    const both = await Promise.all([first, second].map(async ({ url }) => readPage(`${url}/feeds/${showName}.xml`)));
    for (const { titles } of both) assert.deepEqual(titles, days(day, 1));
  }
});

test("a change that comes while a feed is built is in the next one", { skip: postgresMissing ?? false }, async (t) => {
  const given = await givenPostgres(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  const url = `${studio.url}/feeds/${showName}.xml`;
  await Promise.all(
    Array.from({ length: 15 }, async (_, index) => {
      await givenDays(given.store, studio, index + 1, index + 1);
      assert.ok((await readPage(url)).titles.includes(`Day ${index + 1}`), "who has published finds the episode in the feed");
    }),
  );
  assert.deepEqual((await readPage(url)).titles, days(15, 1));
});

test("an episode that is out before its time makes readers build nothing, and is in the feed when its time has come", async (t) => {
  const [given, clock] = [await givenPglite(t), virtualClock()];
  const studio = await givenStudio(t, given, { clock });
  await givenShow(studio);
  await givenDays(given.store, studio, 1, 2);
  const tomorrow = new Date(clock.now() + 86_400_000);
  await given.store.raw("update studio.episodes set published_at = $1 where title = 'Day 2'", [tomorrow]);
  const url = `${studio.url}/feeds/${showName}.xml`;
  const versions = async () => (await given.store.raw("select version from studio.feeds")).rows;
  assert.deepEqual((await readPage(url)).titles, ["Day 1"]);
  const before = await versions();
  for (let read = 0; read < 3; read++) assert.deepEqual((await readPage(url)).titles, ["Day 1"]);
  assert.deepEqual(await versions(), before);
  await clock.advance(86_400_000 + 1);
  assert.deepEqual((await readPage(url)).titles, ["Day 2", "Day 1"]);
});

test("a reader changes nothing, and what no build names goes away after a while", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  const show = await studio.shows.find(showName);
  const folder = join(given.dataDir, "studio", "feeds", show?.guid ?? "");
  await givenDays(given.store, studio, 1, 1);
  const { etag } = await readPage(`${studio.url}/feeds/${showName}.xml`);
  const [old = "", ...others] = await readdir(folder);
  assert.deepEqual(others, []);
  for (let read = 0; read < 3; read++) assert.equal((await readPage(`${studio.url}/feeds/${showName}.xml`)).etag, etag);
  assert.deepEqual((await given.store.raw("select version from studio.feeds")).rows, [{ version: 1 }]);
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(join(folder, old), longAgo, longAgo);
  await givenDays(given.store, studio, 2, 2);
  await readPage(`${studio.url}/feeds/${showName}.xml`);
  const left = await readdir(folder);
  assert.equal(left.length, 1);
  assert.notEqual(left[0], old);
});
