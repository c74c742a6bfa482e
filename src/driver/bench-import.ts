import assert from "node:assert/strict";
import type { Credentials } from "../contract/task.ts";
import type { Visit } from "./bench-visit.ts";
import { readCopy } from "./context.ts";
import type { Driver } from "./contract.ts";

/** A show elsewhere, whose feed the target's account may import. Imported for good. */
export interface BenchFeed {
  feedUrl: string;
  /** The mailbox of the feed's `itunes:email`; absent: the account's. */
  owner?: Pick<Credentials, "email" | "appPassword">;
  /** How many confirmed imports the site has handled so far, where it can tell. */
  history?(): Promise<number>;
}

/** Takes a show over, as the farm does. @param visit of a member, by the driver's importing side (`asImporter`) */
export async function checkImport(
  { site, published, readingMail }: Visit,
  importFeed: NonNullable<Driver["importFeed"]>,
  { feedUrl, owner = { email: "", appPassword: "" }, history }: BenchFeed,
  origin: string,
): Promise<void> {
  const before = (await history?.()) ?? 0;
  const mailbox = owner.email ? owner : {};
  assert.deepEqual(await importFeed.find(site, feedUrl), [], "find of what nobody has imported");
  await readingMail(mailbox, async () => importFeed.prepare(site, feedUrl));
  await readingMail(mailbox, async () => importFeed.prepare(site, feedUrl));
  assert.deepEqual(await importFeed.find(site, feedUrl), [], "find of an import that was prepared only");
  assert.equal(published(), 0, "requests that importFeed.publishRequest matches while preparing");
  const shown = await importFeed.confirm(site, feedUrl);
  assert.equal(published(), 1, "requests that importFeed.publishRequest matches");
  if (history) assert.equal((await history()) - before, 1, "imports that the site handled");
  assert.ok(shown, "confirm returns a link or an id: the proof");
  const { link } = readCopy(shown, origin);
  const copies = (await importFeed.find(site, feedUrl)).map((copy) => readCopy(copy, origin));
  assert.equal(copies.length, 1, "shows imported from the feed");
  if (link) assert.equal(copies[0]?.link, link, "find and confirm name the same page");
  assert.deepEqual(await importFeed.find(site, `${feedUrl}?another`), [], "another feed is not this one");
}
