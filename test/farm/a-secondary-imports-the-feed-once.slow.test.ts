import assert from "node:assert/strict";
import { test } from "node:test";
import { dovecotMissing } from "../support/dovecot.ts";
import { givenImportPair } from "../support/import-pair.ts";
import type { Whole } from "../support/whole.ts";

/** The studio is both: where the primary posts, and where the secondary imports. Its history of imports decides. */
const skip = dovecotMissing ?? false;

test("what a primary has posted is imported once on the other account, with its episode, and reported", { skip }, async (t) => {
  const { whole, mail, owner, importer, request } = await givenImportPair(t);
  const { primary, secondary } = await request("Cà phê sữa đá");
  const done = await whole.reaches(secondary, ["completed", "failed"]);

  const feed = primary.account.linkRss;
  const imports = await whole.studio.imports();
  assert.deepEqual(
    imports.map(({ outcome, account, feed: from }) => [outcome, account, from]),
    [["imported", importer.email, feed]],
  );
  assert.deepEqual([done.state, done.feed, done.linkPost, done.account.linkRss], ["completed", feed, imports[0]?.link, ""]);
  assert.deepEqual(JSON.parse(done.note), { [feed]: done.linkPost });
  assert.equal((await fetch(done.linkPost)).status, 200);
  const [asked, ...others] = (await mail.inbox(owner.email)).filter((letter) => /ownership code/.test(letter));
  assert.match(asked ?? "", new RegExp(`^To: ${owner.email}`, "m"));
  assert.deepEqual(others, [], "one code was asked for");
  const copied = await feedWith(whole, done.linkPost, /<title>Cà phê sữa đá<\/title>/);
  assert.match(copied, /<enclosure url="[^"]+" length="\d+" type="audio\/mpeg"/);

  await t.test("another request with the same feed finds it there and imports nothing", async () => {
    const again = await request("Trà đá vỉa hè");
    const found = await whole.reaches(again.secondary, ["completed", "failed"]);
    assert.deepEqual([found.state, found.linkPost], ["completed", done.linkPost]);
    assert.equal((await whole.studio.imports()).length, 1);
  });
});

/** Waits until the show's feed has it. */
async function feedWith({ studio }: Whole, showLink: string, pattern: RegExp): Promise<string> {
  const url = `${studio.url}/feeds/${new URL(showLink).pathname.split("/").at(-1)}.xml`;
  const deadline = Date.now() + 30_000;
  for (;;) {
    const xml = await (await fetch(url)).text();
    if (pattern.test(xml)) return xml;
    assert.ok(Date.now() < deadline, `${url} has ${pattern} within 30 s: ${xml}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
