import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { givenShow, givenStudio, password, signedIn, Visitor } from "./support.ts";

test("a change without the page's proof is refused, signed in or not", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "Mine" });
  const other = new Visitor(studio.url);
  await other.get("/login");
  for (const stolen of ["", "0".repeat(43), other.csrf]) {
    maya.csrf = stolen;
    assert.equal((await maya.publish(guid)).status, 403);
    assert.equal((await maya.call("POST", "/shows/slow-mornings/episodes", { title: "Theirs" })).status, 403);
    assert.equal((await maya.upload("audio", "a.wav", Buffer.alloc(10))).status, 403);
    assert.equal((await maya.submit("/logout", {})).status, 403);
  }
  assert.deepEqual(await studio.history(), [], "a request that was not let in was not handled");
  const stranger = new Visitor(studio.url);
  assert.equal((await stranger.submit("/login", { email: "maya@example.com", password })).status, 403);
});

test("somebody else's show is not there", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "Private so far" });
  await studio.accounts.create({ email: "eve@example.com", password, secondFactor: "none" });
  const eve = new Visitor(studio.url);
  await eve.signIn(password, "eve@example.com");
  for (const path of [
    "/shows/slow-mornings",
    "/shows/slow-mornings/episodes",
    `/shows/slow-mornings/episodes/${guid}/edit`,
    "/shows/slow-mornings/distribution",
    "/shows/slow-mornings/settings",
  ]) {
    assert.equal((await eve.get(path)).status, 404, path);
  }
  assert.equal((await eve.publish(guid)).status, 404);
  assert.equal((await eve.call("DELETE", `/shows/slow-mornings/episodes/${guid}`)).status, 404);
  assert.equal((await new Visitor(studio.url).get(`/e/slow-mornings/${guid}`)).status, 404, "a draft has no public page");
});

test("without a session pages lead to the sign-in and calls answer 401", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const stranger = new Visitor(studio.url);
  await stranger.get("/login");
  assert.equal(
    (await stranger.get("/shows/slow-mornings/episodes?page=2")).location,
    "/login?next=%2Fshows%2Fslow-mornings%2Fepisodes%3Fpage%3D2",
  );
  assert.equal((await stranger.call("POST", "/shows/slow-mornings/episodes", {})).status, 401);
});

test("a request under another host name is refused", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t), { config: { allowedHosts: ["studio.example.com"] } });
  const status = async (host: string, path = "/login"): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request(new URL(path, studio.url), { headers: { host } }, (answer) => (answer.resume(), resolve(answer.statusCode)))
        .on("error", reject)
        .end();
    });
  assert.equal(await status("rebound.example.net"), 421);
  assert.equal(await status("studio.example.com"), 200);
  assert.equal(await status("rebound.example.net", "/healthz"), 200);
});

test("unknown addresses are a page for people and JSON for programs", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  const visitor = new Visitor(studio.url);
  for (const path of ["/nothing", "/media/nothing.mp3", "/e/no-such-show/x", "/feeds/no-such-show.xml"]) {
    const page = await visitor.get(path);
    assert.equal(page.status, 404);
    assert.match(page.text, /<h1>Nothing is here<\/h1>/);
    const call = await visitor.call("GET", path);
    assert.deepEqual([call.status, typeof call.json["message"]], [404, "string"]);
  }
  assert.deepEqual(Object.keys((await visitor.call("GET", "/")).json), ["name", "version"]);
  assert.equal((await visitor.get("/")).location, "/login");
  assert.match((await visitor.get("/metrics")).text, /^studio_request_seconds_count/m);
  assert.equal((await visitor.get("/readyz")).status, 200);
});
