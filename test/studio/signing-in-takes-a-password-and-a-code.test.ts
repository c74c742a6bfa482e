import assert from "node:assert/strict";
import { test } from "node:test";
import { eachBackend, givenPglite } from "../support/store.ts";
import { virtualClock } from "../support/virtual-clock.ts";
import { codeAt, email, givenShow, givenStudio, password, signedIn, Visitor } from "./support.ts";

eachBackend("a password and an authenticator code open the studio, and a code opens it once", async (t, given) => {
  const clock = virtualClock();
  const studio = await givenStudio(t, given, { clock });
  const { totpSecret } = await studio.accounts.create({ email, password, secondFactor: "totp" });
  const maya = new Visitor(studio.url);
  assert.equal((await maya.get("/dashboard")).location, "/login?next=%2Fdashboard");
  assert.equal((await maya.signIn()).location, "/login/code");
  assert.match((await maya.get("/login/code")).text, /<label for="code">Authentication code<\/label>/);
  assert.equal((await maya.get("/dashboard")).status, 302, "the password alone opens nothing");

  const wrong = await maya.submit("/login/code", { code: "000000" });
  assert.equal(wrong.status, 401);
  assert.match(wrong.text, /role="alert">That code is wrong or was used before\./);

  const code = codeAt(totpSecret, clock.now());
  assert.equal((await maya.submit("/login/code", { code })).location, "/dashboard");
  const dashboard = await maya.get("/dashboard");
  assert.match(dashboard.text, /<h1>Your shows<\/h1>/);
  assert.match(dashboard.text, /maya@example\.com/);

  const thief = new Visitor(studio.url);
  await thief.signIn();
  const again = await thief.submit("/login/code", { code });
  assert.match(again.text, /That code is wrong or was used before\./);
  await clock.advance(30_000);
  assert.equal((await thief.submit("/login/code", { code: codeAt(totpSecret, clock.now()) })).location, "/dashboard");
});

test("a session lasts 30 days, also over a restart, and is out of a script's reach", async (t) => {
  const given = await givenPglite(t);
  const [start, day] = [Date.parse("2026-11-21T08:00:00Z"), 86_400_000];
  const first = await givenStudio(t, given, { clock: virtualClock(start) });
  await givenShow(first);
  const maya = new Visitor(first.url);
  const cookie = (await maya.signIn()).headers.getSetCookie().find((line) => line.startsWith("studio_session="));
  assert.match(cookie ?? "", /; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/);
  const config = { port: Number(new URL(first.url).port) };
  await first.close();
  for (const [days, status] of [
    [29, 200],
    [31, 302],
  ] as const) {
    const studio = await givenStudio(t, given, { clock: virtualClock(start + days * day), config });
    assert.equal((await maya.get("/dashboard")).status, status);
    await studio.close();
  }
});

test("signing out ends the session on the server", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  assert.match((await maya.get("/logout")).text, /Sign out of Podcrew Studio\?/);
  assert.equal((await maya.submit("/logout", {})).location, "/login");
  assert.equal((await maya.get("/dashboard")).status, 302);
});

test("after signing in one lands where one wanted to go, and never on another site", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const wishes = {
    "/shows/slow-mornings/distribution": "/shows/slow-mornings/distribution",
    "//evil.example/": "/dashboard",
    "/\\evil.example": "/dashboard",
    "https://evil.example/": "/dashboard",
  };
  for (const [next, lands] of Object.entries(wishes)) {
    const visitor = new Visitor(studio.url);
    await visitor.get("/login");
    assert.equal((await visitor.submit("/login", { email, password, next })).location, lands);
  }
});

test("the sign-in page speaks the visitor's language, the studio the account's", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await studio.accounts.create({ email, password, secondFactor: "none", locale: "vi" });
  const visitor = new Visitor(studio.url);
  visitor.language = "vi-VN,vi;q=0.9,en;q=0.5";
  assert.match((await visitor.get("/login")).text, /<html lang="vi">[^]*<h1>Đăng nhập<\/h1>/);
  assert.match((await visitor.get("/login?lang=en")).text, /<h1>Sign in<\/h1>/);
  visitor.language = "en";
  await visitor.signIn();
  assert.match((await visitor.get("/dashboard")).text, /<h1>Chương trình của bạn<\/h1>/);
});
