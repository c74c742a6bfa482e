import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { virtualClock } from "../support/virtual-clock.ts";
import { givenShow, givenStudio, signedIn, until, Visitor, wav } from "./support.ts";

test("whatsNew: a pop-up on every page until it is closed once in the session", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t), { edges: { whatsNew: true } });
  await givenShow(studio);
  const maya = await signedIn(studio);
  assert.match((await maya.get("/dashboard")).text, /<dialog id="whats-new"[^]*<button[^>]*>Got it<\/button>/);
  await maya.call("POST", "/whats-new/seen");
  assert.doesNotMatch((await maya.get("/dashboard")).text, /whats-new/);
  assert.match((await (await signedIn(studio)).get("/dashboard")).text, /whats-new/, "another session has not seen it");
});

test("popUpAt: a pop-up on every page, also before the sign-in, that names the fields it waits for", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t), { edges: { popUpAt: "#password" } });
  await givenShow(studio);
  assert.match((await new Visitor(studio.url).get("/login")).text, /<dialog id="whats-new"[^>]* data-at="#password"/);
  assert.match((await (await signedIn(studio)).get("/dashboard")).text, /<dialog id="whats-new"[^>]* data-at=/);
  studio.edges.popUpAt = "";
  assert.doesNotMatch((await new Visitor(studio.url).get("/login")).text, /whats-new/);
});

test("processingMs: an upload takes that long at least", async (t) => {
  const clock = virtualClock();
  const studio = await givenStudio(t, await givenPglite(t), { clock, edges: { processingMs: 60_000 } });
  await givenShow(studio);
  const maya = await signedIn(studio);
  const { json } = await maya.upload("audio", "a.wav", wav(1));
  const state = async () => (await maya.call("GET", `/shows/slow-mornings/assets/${String(json["guid"])}`)).json["state"];
  await clock.advance(59_000);
  assert.equal(await state(), "processing");
  await until("the minute is over", async () => {
    await clock.advance(1000);
    return (await state()) === "ready";
  });
});

test("listingLagMs: list and feed follow later, the link works at once", async (t) => {
  const clock = virtualClock();
  const studio = await givenStudio(t, await givenPglite(t), { clock, edges: { listingLagMs: 60_000 } });
  await givenShow(studio);
  const maya = await signedIn(studio);
  const { json } = await maya.publish(await maya.draft({ title: "Slow to show" }));
  const shown = async () =>
    Promise.all(
      ["/shows/slow-mornings/episodes", "/feeds/slow-mornings.xml", "/s/slow-mornings"].map(async (path) =>
        (await maya.get(path)).text.includes("Slow to show"),
      ),
    );
  assert.deepEqual(await shown(), [false, false, false]);
  assert.equal((await maya.get(new URL(String(json["link"])).pathname)).status, 200);
  await clock.advance(60_000);
  assert.deepEqual(await shown(), [true, true, true]);
});

test("sessionExpiresAfterRequests: the session ends in the middle of the work", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  studio.edges.sessionExpiresAfterRequests = 3;
  const seen = [];
  for (let round = 0; round < 4; round++) seen.push((await maya.get("/dashboard")).status);
  assert.deepEqual(seen, [200, 200, 200, 302]);
  assert.match((await maya.get("/login?next=%2Fdashboard")).text, /role="status">Your session has ended\./);
  const other = await signedIn(studio);
  await other.get("/dashboard");
  await other.get("/dashboard");
  assert.equal(
    (await other.call("POST", "/shows/slow-mornings/episodes", {})).status,
    401,
    "it hears of the session, not of the proof that ended with it",
  );
  assert.equal((await other.call("GET", "/shows/slow-mornings/assets/000000000000")).status, 401);
});

/** A person's way through: reads the letters, types them backwards. */
async function solve(visitor: Visitor, path: string): Promise<string> {
  const { text } = await visitor.get(path);
  assert.match(text, /<h1>Are you a human\?<\/h1>/);
  const letters = [...text.matchAll(/<text\s[^>]*>\s*(\w)\s*<\/text/g)].map((match) => match[1]);
  assert.equal((await visitor.submit("/challenge", { letters: "WRONG" })).status, 403);
  assert.equal(
    (await visitor.submit("/challenge", { letters: letters.reverse().join("") })).status,
    403,
    "every picture is good for one try",
  );
  const fresh = [...(await visitor.get(path)).text.matchAll(/<text\s[^>]*>\s*(\w)\s*<\/text/g)].map((match) => match[1]);
  return (await visitor.submit("/challenge", { letters: fresh.reverse().join(""), next: "/shows/slow-mornings/episodes" })).location;
}

test("challenge at sign-in: nothing opens before a person has solved it", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t), { edges: { challenge: "sign-in" } });
  await givenShow(studio);
  const visitor = new Visitor(studio.url);
  assert.equal((await visitor.signIn()).location, "/challenge");
  assert.equal((await visitor.get("/dashboard")).location, "/challenge");
  assert.equal(await solve(visitor, "/challenge"), "/shows/slow-mornings/episodes");
  assert.equal((await visitor.get("/dashboard")).status, 200);
});

test("challenge at publish: the request is refused, and goes through once it is solved", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t), { edges: { challenge: "publish" } });
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "Halt" });
  const refused = await maya.publish(guid);
  assert.deepEqual([refused.status, refused.json["challenge"]], [403, "/challenge"]);
  await solve(maya, "/challenge");
  await maya.get("/dashboard");
  assert.equal((await maya.publish(guid)).status, 200);
  assert.deepEqual(
    (await studio.history()).map(({ outcome, reason }) => [outcome, reason]),
    [
      ["refused", "challengeNeeded"],
      ["published", ""],
    ],
  );
});

test("changedLabel: the button has another name, from the next page on", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const label = async () =>
    /data-publish>\s*([^<]*?)\s*<[^]*data-publish-now>\s*([^<]*?)\s*</
      .exec((await maya.get("/shows/slow-mornings/episodes/new")).text)
      ?.slice(1);
  assert.deepEqual(await label(), ["Publish", "Publish now"]);
  studio.edges.changedLabel = "Release";
  assert.deepEqual(await label(), ["Release", "Release now"]);
});

test("lockAfter: two wrong passwords are enough, when so told", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t), { edges: { lockAfter: 2, lockMs: 60_000 } });
  await givenShow(studio);
  const visitor = new Visitor(studio.url);
  assert.equal((await visitor.signIn("wrong-password")).status, 401);
  assert.match((await visitor.signIn("wrong-password")).text, /Too many tries\. Wait 1 minute and/);
});
