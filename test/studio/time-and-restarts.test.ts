import assert from "node:assert/strict";
import { test } from "node:test";
import { eachBackend, givenPglite } from "../support/store.ts";
import { passTime, virtualClock } from "../support/virtual-clock.ts";
import { zonedTime } from "../../src/kit/zoned-time.ts";
import { email, givenShow, givenStudio, signedIn, until, Visitor, wav } from "./support.ts";

eachBackend("a scheduled episode appears at its time, in the studio's time zone", async (t, given) => {
  const clock = virtualClock(Date.parse("2026-11-21T08:00:00Z"));
  const studio = await givenStudio(t, given, { clock });
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "Tomorrow" });
  const path = `/shows/slow-mornings/episodes/${guid}/schedule`;
  assert.equal((await maya.call("POST", path, { at: "2026-11-21T14:59" })).json["message"], "Choose a time that is still to come.");
  // Half past three in Ho Chi Minh City is half past eight in UTC.
  assert.deepEqual((await maya.call("POST", path, { at: "2026-11-21T15:30" })).json, { guid, publishAt: "2026-11-21T08:30:00.000Z" });
  assert.match((await maya.get("/shows/slow-mornings/episodes")).text, /<span class="chip scheduled">Scheduled<\/span>/);
  await clock.advance(29 * 60_000);
  assert.equal((await studio.history()).length, 0);
  await passTime(clock, "the episode is out", async () => (await studio.history()).length > 0, { stepMs: 15_000, limitMs: 3 * 60_000 });
  assert.deepEqual(
    (await studio.history()).map(({ outcome, account }) => [outcome, account]),
    [["published", email]],
  );
  assert.match((await maya.get("/feeds/slow-mornings.xml")).text, /<pubDate>Sat, 21 Nov 2026 08:30:00 GMT<\/pubDate>/);
});

test("what fell due while the studio was down comes out at its next start, once", async (t) => {
  const given = await givenPglite(t);
  const clock = virtualClock();
  const first = await givenStudio(t, given, { clock });
  await givenShow(first);
  const maya = await signedIn(first);
  const guid = await maya.draft({ title: "Overnight" });
  await maya.call("POST", `/shows/slow-mornings/episodes/${guid}/schedule`, { at: "2026-11-21T18:00" });
  await first.close();
  await clock.advance(12 * 3_600_000);
  const second = await givenStudio(t, given, { clock });
  await until("the episode is out", async () => (await second.history()).length === 1);
  const again = await signedIn(second);
  assert.equal((await again.publish(guid)).status, 200);
  assert.deepEqual(
    (await second.history()).map(({ outcome }) => outcome),
    ["published", "repeat"],
  );
});

test("a scheduled episode can be taken back to draft", async (t) => {
  const clock = virtualClock();
  const studio = await givenStudio(t, await givenPglite(t), { clock });
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "Perhaps" });
  await maya.call("POST", `/shows/slow-mornings/episodes/${guid}/schedule`, { at: "2026-11-21T18:00" });
  assert.equal((await maya.call("POST", `/shows/slow-mornings/episodes/${guid}/unschedule`)).status, 200);
  await clock.advance(24 * 3_600_000);
  assert.equal((await studio.history()).length, 0);
});

test("processing that a restart cut off goes on by itself", async (t) => {
  const given = await givenPglite(t);
  const first = await givenStudio(t, given, { edges: { processingMs: 3_600_000 } });
  await givenShow(first);
  const maya = await signedIn(first);
  const audio = await maya.upload("audio", "a.wav", wav(2));
  const { json } = await maya.call("POST", "/shows/slow-mornings/episodes", { title: "In between", audio: audio.json["guid"] });
  assert.match(
    (await maya.get("/shows/slow-mornings/episodes")).text,
    /data-status="processing"[^]*<span class="chip processing">Processing<\/span>/,
  );
  await first.close();

  const second = await givenStudio(t, given);
  const again = await signedIn(second);
  assert.equal((await again.settled(audio.json["guid"]))["state"], "ready");
  assert.equal((await again.publish(String(json["guid"]))).status, 200);
});

test("the first admin key is made once and lies in a file that only its owner reads", async (t) => {
  const given = await givenPglite(t);
  const { readFile, stat } = await import("node:fs/promises");
  const path = `${given.dataDir}/studio.json`;
  await (await givenStudio(t, given)).close();
  const before = await readFile(path, "utf8");
  assert.match(before, /"adminKey": "pcs_[\w-]{43}"/);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await givenStudio(t, given);
  assert.equal(await readFile(path, "utf8"), before);
});

test("bad set-up is one sentence that says what to do", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  const { ownerId } = await givenShow(studio);
  const account = { email: "lan@example.com", password: "demo-password" };
  await assert.rejects(studio.accounts.create({ ...account, secondFactor: "mail" }), {
    name: "UsageError",
    message: /no mail server is configured\. Set SMTP_URL/,
  });
  await assert.rejects(studio.accounts.create({ ...account, email, secondFactor: "none" }), {
    name: "UsageError",
    message: /has an account maya@example\.com already/,
  });
  await assert.rejects(studio.accounts.create({ email: "lan", password: "short", secondFactor: "none" }), {
    name: "UsageError",
    message: /email is not an e-mail address; password needs at least 8 characters/,
  });
  await assert.rejects(studio.shows.create({ ownerId, name: "slow-mornings", title: "Again" }), {
    name: "UsageError",
    message: /a show named slow-mornings already/,
  });
  await assert.rejects(studio.shows.create({ ownerId, name: "Short", title: "" }), {
    name: "UsageError",
    message: /name: must be 8-44 of a-z/,
  });
  const port = Number(new URL(studio.url).port);
  await assert.rejects(givenStudio(t, given, { config: { port } }), { name: "UsageError", message: /STUDIO_PORT=/ });
});

test("a time of the form is the zone's own, also around a change of clocks", () => {
  const at = (text: string, zone: string): string | undefined => zonedTime(text, zone)?.toISOString();
  assert.equal(at("2026-07-01T10:00", "Europe/Berlin"), "2026-07-01T08:00:00.000Z");
  assert.equal(at("2026-12-01T10:00", "Europe/Berlin"), "2026-12-01T09:00:00.000Z");
  assert.equal(at("2026-03-29T03:00", "Europe/Berlin"), "2026-03-29T01:00:00.000Z");
  assert.equal(at("2026-03-29T01:59", "Europe/Berlin"), "2026-03-29T00:59:00.000Z");
  assert.equal(at("2026-02-30T10:00", "UTC"), undefined);
  assert.equal(at("soon", "UTC"), undefined);
});

test("a visitor who never signed in leaves no session behind", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await new Visitor(studio.url).get("/login");
  assert.deepEqual(await given.store.part<{ sessions: { id: string } }>("studio").selectFrom("sessions").select("id").execute(), []);
});
