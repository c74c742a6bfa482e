import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test, type TestContext } from "node:test";
import PostalMime from "postal-mime";
import type { StudioConfig } from "../../src/studio/context.ts";
import { openStudio } from "../../src/studio/studio.ts";
import { openVault } from "../../src/store/vault.ts";
import { eachBackend, givenPglite, silentLog, type Given } from "../support/store.ts";
import { virtualClock } from "../support/virtual-clock.ts";
import { email, givenShow, givenStudio, signedIn, smtpSink, until, wav, type Visitor } from "./support.ts";

const owner = "owner@elsewhere.example";

interface FeedFile {
  locked?: string;
  ownerEmail?: string;
  items?: { title: string; about?: string; audio: string }[];
}

interface Elsewhere {
  url: string;
  feed: FeedFile;
  asked: string[];
  /** /late.wav is there. */
  late: boolean;
}

/** Another host: a feed and its recordings, changed while it is up. */
async function elsewhere(t: TestContext): Promise<Elsewhere> {
  const feed: FeedFile = {
    ownerEmail: owner,
    items: [{ title: "Tập một: cà phê & phố", about: "<p>Chào</p><script>alert(1)</script>", audio: "one.wav" }],
  };
  const there: Elsewhere = { url: "", feed, asked: [], late: false };
  const { asked } = there;
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/page") return response.setHeader("content-type", "text/html").end("<h1>Hello</h1>");
    if (request.url === "/other.xml") return response.setHeader("content-type", "application/xml").end("<opml></opml>");
    if (request.url?.startsWith("/feed.xml")) return response.setHeader("content-type", "application/rss+xml").end(xmlOf(feed, host()));
    if (request.url === "/one.wav" || (there.late && request.url === "/late.wav"))
      return response.setHeader("content-type", "audio/wav").end(wav(1));
    return response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const host = (): string => {
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  };
  return Object.assign(there, { url: host() });
}

function xmlOf({ locked = "no", ownerEmail, items = [] }: FeedFile, host: string): string {
  const cdata = (text: string): string => `<![CDATA[${text}]]>`;
  return `<?xml version="1.0"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel>
    <title>Chuyện từ nơi khác</title><description>Kể</description><language>vi</language><itunes:author>Mai</itunes:author>
    ${ownerEmail ? `<itunes:owner><itunes:email>${ownerEmail}</itunes:email></itunes:owner>` : ""}<podcast:locked>${locked}</podcast:locked>
    ${items.map(({ title, about = "", audio }) => `<item><title>${cdata(title)}</title><description>${cdata(about)}</description><pubDate>Sat, 07 Mar 2026 08:00:00 GMT</pubDate><enclosure url="${host}/${audio}" length="1" type="audio/wav"/></item>`).join("")}
    </channel></rss>`;
}

async function given(t: TestContext, store: Pick<Given, "store" | "dataDir">, config: Partial<StudioConfig> = {}) {
  const [there, mail, clock] = [await elsewhere(t), await smtpSink(t), virtualClock()];
  const studio = await givenStudio(t, store, {
    clock,
    config: { smtpUrl: mail.url, allowPrivate: [new URL(there.url).host], ...config },
  });
  await givenShow(studio);
  const visitor = await signedIn(studio);
  const codeOf = async (index: number): Promise<string> => {
    const letter = await until("the code is mailed", async () => mail.letters[index]);
    assert.equal(letter.to, owner, "to the feed's owner, not to who asks");
    return /^(\d{6}) is your ownership code/.exec((await PostalMime.parse(letter.source)).subject ?? "")?.[1] ?? "";
  };
  return { studio, visitor, there, letters: mail.letters, codeOf, clock, feedUrl: `${there.url}/feed.xml` };
}

/** Hands the feed in. @returns the import's path, or what the page says against it */
async function handIn(visitor: Visitor, feed: string): Promise<string> {
  await visitor.get("/import");
  const answer = await visitor.submit("/import", { feed });
  if (answer.location) await visitor.get(answer.location);
  return answer.location || (/role="alert"[^>]*>([^<]*)</.exec(answer.text)?.[1] ?? `nothing, with ${answer.status}`);
}

const mine = async (visitor: Visitor): Promise<unknown[]> => (await visitor.call("GET", "/import")).json["imports"] as unknown[];

eachBackend("the feed's owner is asked by mail; then the show is here once, its episodes copied", async (t, store) => {
  const { studio, visitor, codeOf, feedUrl } = await given(t, store);
  const path = await handIn(visitor, feedUrl);
  assert.match(path, /^\/import\/[0-9a-f]{12}$/);
  assert.equal((await visitor.call("POST", `${path}/confirm`)).status, 409, "nobody has proved anything yet");
  assert.equal((await visitor.submit(`${path}/code`, { code: await codeOf(0) })).location, path);
  assert.match((await visitor.get(path)).text, /1 episode will be copied/);
  assert.deepEqual(await mine(visitor), []);

  const { json: done } = await visitor.call("POST", `${path}/confirm`);
  const link = String(done["link"]);
  assert.deepEqual(done, { guid: path.slice(-12), feed: feedUrl, title: "Chuyện từ nơi khác", link });
  assert.deepEqual(await mine(visitor), [done]);
  assert.deepEqual((await visitor.call("POST", `${path}/confirm`)).json, done, "asked again, the same answer");
  assert.deepEqual(
    (await studio.imports()).map(({ outcome, account, feed, reason }) => [outcome, account, feed, reason]),
    [
      ["refused", email, feedUrl, "importNotVerified"],
      ["imported", email, feedUrl, ""],
      ["repeat", email, feedUrl, ""],
    ],
  );
  const name = new URL(link).pathname.slice("/s/".length);
  const show = await studio.shows.find(name);
  assert.deepEqual([show?.language, show?.author, show?.owner_email, show?.imported_from], ["vi", "Mai", owner, feedUrl]);
  const feed = await until("the episode is copied", async () => {
    const { text } = await visitor.get(`/feeds/${name}.xml`);
    return text.includes("<enclosure") && text;
  });
  assert.match(feed, /<title><!\[CDATA\[Tập một: cà phê & phố\]\]><\/title>/);
  assert.match(feed, /<pubDate>Sat, 07 Mar 2026 08:00:00 GMT<\/pubDate>/);
  assert.ok(!feed.includes("alert(1)"), "a stranger's script is inert");
  assert.match((await visitor.get(path)).text, /1 of 1 episode copied/);
  for (const change of ["update studio.import_history set title = ''", "delete from studio.import_history"])
    await assert.rejects(store.store.raw(change), /append-only/);
});

test("what may not or can't be imported is refused with a sentence, and nobody is mailed", async (t) => {
  const { visitor, there, feedUrl, letters, studio } = await given(t, await givenPglite(t));
  there.feed.locked = "yes";
  assert.match(await handIn(visitor, feedUrl), /^The feed is locked\. Unlock it at the host/);
  there.feed.locked = "no";
  delete there.feed.ownerEmail;
  assert.match(await handIn(visitor, feedUrl), /^The feed names no owner/);
  assert.match(await handIn(visitor, `${there.url}/page`), /^The feed can&#39;t be fetched|^The feed can't be fetched/);
  assert.match(await handIn(visitor, `${there.url}/other.xml`), /is not a podcast/);
  assert.match(await handIn(visitor, "somewhere"), /^Type the address of the feed/);
  assert.match(await handIn(visitor, "file:///etc/passwd"), /^Type the address of the feed/);
  assert.deepEqual([letters.length, (await studio.imports()).length, (await mine(visitor)).length], [0, 0, 0]);
});

test("nothing inside a private network is fetched for a stranger", async (t) => {
  const { visitor, there, feedUrl } = await given(t, await givenPglite(t), { allowPrivate: [] });
  assert.match(await handIn(visitor, feedUrl), /be fetched/);
  assert.deepEqual(there.asked, []);
});

test("a code has five tries and ten minutes; a stranger's mailbox gets ten an hour at most", async (t) => {
  const { visitor, feedUrl, codeOf, clock, letters } = await given(t, await givenPglite(t));
  const first = await handIn(visitor, feedUrl);
  const right = await codeOf(0);
  const wrong = right === "000000" ? "000001" : "000000";
  for (let guess = 0; guess < 5; guess++) assert.equal((await visitor.submit(`${first}/code`, { code: wrong })).status, 422);
  assert.equal((await visitor.submit(`${first}/code`, { code: right })).status, 422, "the sixth try, though right");
  const second = await handIn(visitor, feedUrl);
  await clock.advance(10 * 60_000 + 1);
  assert.equal((await visitor.submit(`${second}/code`, { code: await codeOf(1) })).status, 422, "too old");
  const answers = await Promise.all(Array.from({ length: 12 }, async () => handIn(visitor, feedUrl)));
  assert.equal(answers.filter((answer) => answer.startsWith("/import/")).length, 8, "many at once get no more");
  assert.match(await handIn(visitor, feedUrl), /^You have asked for many ownership codes/);
  assert.equal(letters.length, 10);
});

test("what was verified and not confirmed goes on without another code; what was confirmed begins anew", async (t) => {
  const { visitor, feedUrl, codeOf, letters } = await given(t, await givenPglite(t));
  const path = await handIn(visitor, feedUrl);
  await visitor.submit(`${path}/code`, { code: await codeOf(0) });
  assert.equal(await handIn(visitor, feedUrl), path);
  assert.equal(letters.length, 1);
  await visitor.call("POST", `${path}/confirm`);
  assert.notEqual(await handIn(visitor, feedUrl), path);
  assert.equal(letters.length, 2);
});

test("an import is nobody else's business", async (t) => {
  const { studio, visitor, feedUrl, codeOf } = await given(t, await givenPglite(t));
  const path = await handIn(visitor, feedUrl);
  await studio.accounts.create({ email: "other@example.com", password: "demo-password", secondFactor: "none" });
  const { Visitor: Somebody } = await import("./support.ts");
  const other = new Somebody(studio.url);
  await other.signIn("demo-password", "other@example.com");
  assert.equal((await other.get(path)).status, 404);
  assert.equal((await other.call("POST", `${path}/confirm`)).status, 404);
  assert.ok((await other.submit(`${path}/code`, { code: await codeOf(0) })).status >= 400);
  assert.equal((await visitor.submit(`${path}/code`, { code: await codeOf(0) })).location, path, "nobody has used up the code");
});

test("a restart goes on with copying, and a recording that is gone is given up and named", async (t) => {
  const store = await givenPglite(t);
  const { studio, visitor, there, feedUrl, codeOf } = await given(t, store);
  there.feed.items = [
    { title: "Gone", audio: "gone.wav" },
    { title: "Here", audio: "one.wav" },
  ];
  const path = await handIn(visitor, feedUrl);
  await visitor.submit(`${path}/code`, { code: await codeOf(0) });
  await visitor.call("POST", `${path}/confirm`);
  await until("the first has failed once", async () => there.asked.includes("/gone.wav"));
  await studio.close();
  await store.store.raw("update studio.import_episodes set tries = 8, not_before = null where title = 'Gone'");

  const { dataDir } = store;
  const again = await openStudio({
    store: store.store,
    vault: openVault({ dataDir, embedded: true }),
    log: silentLog,
    edges: { processingMs: 0 },
    config: {
      host: "127.0.0.1",
      port: 0,
      allowedHosts: [],
      dataDir,
      mailFrom: "studio@podcrew.example",
      timeZone: "UTC",
      allowPrivate: [new URL(there.url).host],
    },
  });
  t.after(async () => again.close());
  const reader = await signedIn(again);
  const page = await until("both have come to their end", async () => {
    const { text } = await reader.get(path);
    return text.includes("Could not be copied") && text.includes("1 of 2") && text;
  });
  assert.match(page, /Could not be copied: Gone/);
});

test("a host that is down for an hour loses nothing: its recordings are copied when it is back", async (t) => {
  const { visitor, there, feedUrl, codeOf, clock } = await given(t, await givenPglite(t));
  there.feed.items = [{ title: "Late", audio: "late.wav" }];
  const path = await handIn(visitor, feedUrl);
  await visitor.submit(`${path}/code`, { code: await codeOf(0) });
  await visitor.call("POST", `${path}/confirm`);
  const tried = (): number => there.asked.filter((address) => address === "/late.wav").length;
  await until("it has been tried", async () => tried() === 1);
  for (let minute = 0; minute < 60; minute++) await clock.advance(60_000);
  await until("it has been tried again", async () => tried() > 2);
  there.late = true;
  for (let minute = 0; minute < 60; minute++) await clock.advance(60_000);
  await until("it is copied", async () => (await visitor.get(path)).text.includes("1 of 1"));
});

test("a show that is locked in its settings says so in its feed", async (t) => {
  const { visitor } = await given(t, await givenPglite(t));
  const lockedOf = async (): Promise<string | undefined> =>
    /<podcast:locked[^>]*>(\w+)</.exec((await visitor.get("/feeds/slow-mornings.xml")).text)?.[1];
  assert.equal(await lockedOf(), "no");
  await visitor.get("/shows/slow-mornings/settings");
  await visitor.submit("/shows/slow-mornings/settings", {
    title: "Slow Mornings",
    language: "en",
    category: "Arts",
    author: "Maya",
    ownerEmail: email,
    locked: "yes",
  });
  assert.equal(await lockedOf(), "yes");
});
