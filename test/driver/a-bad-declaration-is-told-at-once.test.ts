import assert from "node:assert/strict";
import { test } from "node:test";
import { defineDriver, isDriver, toCard } from "../../src/driver/define-driver.ts";
import { asImporter } from "../../src/driver/feed-import.ts";
import { z, type DriverDeclaration } from "../../src/driver/index.ts";
import { UsageError } from "../../src/kit/config.ts";

const good: DriverDeclaration = {
  site: "my-studio",
  origin: "https://studio.example.com",
  account: z.object({ email: z.email() }),
  publishRequest: { method: "POST", url: /\/publish$/ },
  isSignedIn: async () => true,
  signIn: async () => undefined,
  find: async () => [],
  draft: async () => undefined,
  publish: async () => undefined,
  feed: async () => "/feed.xml",
};

/** What the author reads. */
function told(change: Record<string, unknown>): string {
  try {
    defineDriver({ ...good, ...change });
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  return "";
}

test("every problem of a declaration is told at once, each in a sentence that says what to write", () => {
  const said = told({
    site: "My Studio",
    origin: undefined,
    account: { email: "string" },
    limits: { cover: { minPixels: 0, maxPixels: 3000, maxBytes: 1 } },
    refusals: { "account.wrong": /no/ },
    publishRequest: { method: "DELETE", url: "/publish" },
    feed: undefined,
    retry: 3,
  });
  assert.match(said, /^The driver "My Studio" has \d+ problems:\n/);
  for (const line of [
    /^ {2}site: must be a name such as "my-studio"/m,
    /^ {2}account: must be a zod schema such as z\.object/m,
    /^ {2}limits\.cover\.minPixels: /m,
    /^ {2}refusals\.account\.wrong: is no failure code; .*"account\.refused"/m,
    /^ {2}publishRequest\.method: .*"POST"/m,
    /^ {2}publishRequest\.url: must be a regular expression/m,
    /^ {2}feed: must be a function/m,
    /^ {2}declaration: does not know retry$/m,
  ])
    assert.match(said, line);
});

test("one problem is one", () => {
  assert.equal(
    told({ hosts: ["https://studio.example.com/"] }),
    'The driver "my-studio" has a problem:\n  hosts.0: must be a host such as "studio.example.com" or "localhost:8710", in lower case, without https:// and path',
  );
  assert.match(told({ origin: undefined }), /hosts: say which site it is: hosts: \["studio\.example\.com"\] or origin:/);
  assert.match(
    told({ refusals: { "account.refused": "wrong password" } }),
    /refusals\.account\.refused: must be a regular expression, or \{ text/,
  );
});

test("an expression that remembers its last match is refused: it would let every second publish request pass", () => {
  assert.match(told({ publishRequest: { method: "POST", url: /publish/g } }), /publishRequest\.url: must not carry the flags g or y/);
  assert.match(
    told({ publishRequest: { method: "POST", url: /graphql/, body: /publish/g } }),
    /publishRequest\.body: must not carry the flags g or y/,
  );
});

test("something that is no declaration at all is told too", () => {
  for (const value of [undefined, null, 7, "driver"]) assert.throws(() => defineDriver(value as unknown as DriverDeclaration), UsageError);
});

test("a good declaration gets the usual values for all that it leaves out", () => {
  const driver = defineDriver({ ...good, limits: { title: { maxCharacters: 80 } } });
  assert.ok(isDriver(driver));
  assert.ok(!isDriver(good));
  const card = toCard(driver, "file:///my-studio.ts");
  assert.deepEqual(card.hosts, ["studio.example.com"]);
  assert.deepEqual([card.tier, card.post, card.settleMs, card.concurrency], ["list", "browser", 120_000, 1]);
  assert.equal(card.limits.title.maxCharacters, 80);
  assert.equal(card.limits.cover.maxPixels, 3000);
  assert.match("https://studio.example.com/login?next=/", driver.signInPage);
  assert.equal(card.locale, undefined, "the farm's");
  assert.equal(toCard(defineDriver({ ...good, locale: "zh-TW" }), "file:///my-studio.ts").locale, "zh-TW");
  // A card goes to other threads.
  assert.deepEqual(structuredClone(card), card);
});

test("verbs stay the author's own functions", async () => {
  const driver = defineDriver({
    ...good,
    async isSignedIn() {
      return this.site === "my-studio";
    },
  });
  assert.equal(driver.isSignedIn.length, 0);
  assert.equal(await driver.isSignedIn({} as never), true);
});

test("a site can be looked at in one way at least, or it is blind", () => {
  assert.match(told({ find: undefined }), /find: is missing: without it nothing can be looked up\. .*list\(\).*blind/);
  assert.match(told({ find: undefined, list: async () => [], tier: "drafts" }), /find: is missing/);
  assert.equal(told({ find: undefined, list: async () => [], tier: "list" }), "");
  assert.equal(told({ find: undefined, tier: "blind" }), "");
});

test("the card says whether drafts can be taken away", () => {
  assert.equal(toCard(defineDriver(good), "file:///my-studio.ts").discards, false);
  assert.equal(toCard(defineDriver({ ...good, discard: async () => undefined }), "file:///my-studio.ts").discards, true);
});

const importFeed = {
  publishRequest: { method: "POST", url: /\/import\/confirm$/ },
  find: async () => [],
  prepare: async () => undefined,
  confirm: async () => undefined,
};

test("an import is declared whole, and the card says that it is there", () => {
  assert.equal(toCard(defineDriver(good), "file:///my-studio.ts").imports, false);
  assert.equal(told({ importFeed }), "");
  assert.equal(toCard(defineDriver({ ...good, importFeed } as DriverDeclaration), "file:///my-studio.ts").imports, true);
  assert.match(told({ importFeed: { ...importFeed, find: undefined } }), /importFeed\.find: must be a function/);
  assert.match(told({ importFeed: async () => undefined }), /importFeed: /);
  assert.match(
    told({ importFeed: { ...importFeed, publishRequest: { method: "POST", url: /confirm$/g } } }),
    /importFeed\.publishRequest\.url: must not carry the flags g or y/,
  );
});

test("importing, a driver looks, fills in and presses by the feed's address; its episodes' verbs are out of reach", async () => {
  const seen: string[] = [];
  const note = (verb: string) => async (_site: unknown, feedUrl: string) => void seen.push(`${verb} ${feedUrl}`);
  const driver = defineDriver({
    ...good,
    tier: "drafts",
    discard: async () => undefined,
    list: async () => [],
    importFeed: {
      ...importFeed,
      find: async (site, feedUrl) => (await note("find")(site, feedUrl), []),
      prepare: note("prepare"),
      confirm: note("confirm"),
    },
  } as DriverDeclaration);
  const importer = asImporter(driver);
  const feed = { id: "https://a.example/feed.xml" } as never;
  await importer.find?.({} as never, feed);
  await importer.draft({} as never, feed, null);
  await importer.publish({} as never, feed, null);
  assert.deepEqual(seen, ["find https://a.example/feed.xml", "prepare https://a.example/feed.xml", "confirm https://a.example/feed.xml"]);
  assert.deepEqual(
    [importer.publishRequest.url, importer.tier, importer.list, importer.discard],
    [/\/import\/confirm$/, "list", undefined, undefined],
  );
  assert.throws(() => asImporter(defineDriver(good)), /can't take over a show by its feed/);
});
