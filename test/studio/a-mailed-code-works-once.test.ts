import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import PostalMime from "postal-mime";
import { eachBackend, givenPglite, type Given } from "../support/store.ts";
import { virtualClock } from "../support/virtual-clock.ts";
import { email, givenStudio, password, smtpSink, until, Visitor } from "./support.ts";

async function given(t: TestContext, store: Given) {
  const clock = virtualClock();
  const { url, letters } = await smtpSink(t);
  const studio = await givenStudio(t, store, { clock, config: { smtpUrl: url } });
  await studio.accounts.create({ email, password, secondFactor: "mail" });
  const codeOf = async (index: number): Promise<string> => {
    const letter = await until("the code is mailed", async () => letters[index]);
    assert.equal(letter.to, email);
    const mail = await PostalMime.parse(letter.source);
    assert.equal(mail.from?.address, "studio@podcrew.example");
    return /^(\d{6}) is your Podcrew Studio code$/.exec(mail.subject ?? "")?.[1] ?? "";
  };
  return { clock, studio, letters, codeOf, visitor: new Visitor(studio.url) };
}

eachBackend("a six-digit code comes by mail and opens the studio once", async (t, store) => {
  const { clock, studio, codeOf, visitor } = await given(t, store);
  assert.equal((await visitor.signIn()).location, "/login/code");
  assert.match((await visitor.get("/login/code")).text, /<label for="code">Code from your e-mail<\/label>/);
  const code = await codeOf(0);
  assert.match(code, /^\d{6}$/);
  assert.equal((await visitor.submit("/login/code", { code })).location, "/dashboard");
  assert.equal((await visitor.get("/dashboard")).status, 200);

  await clock.advance(31_000);
  const thief = new Visitor(studio.url);
  await thief.signIn();
  assert.match((await thief.submit("/login/code", { code })).text, /That code is wrong or was used before\./);
  assert.equal((await thief.submit("/login/code", { code: await codeOf(1) })).location, "/dashboard");
});

test("one code in 30 seconds, and only the newest counts", async (t) => {
  const { clock, letters, codeOf, visitor } = await given(t, await givenPglite(t));
  await visitor.signIn();
  const old = await codeOf(0);
  const early = await visitor.submit("/login/code/resend", {});
  assert.equal(early.location, "/login/code?wait=30");
  assert.match(
    (await visitor.get(early.location)).text,
    /role="status">A code was sent a moment ago\. A new one can be sent in 30 seconds\./,
  );
  assert.equal(letters.length, 1);
  await clock.advance(30_000);
  assert.equal((await visitor.submit("/login/code/resend", {})).location, "/login/code?sent=1");
  const fresh = await codeOf(1);
  if (old !== fresh) assert.equal((await visitor.submit("/login/code", { code: old })).status, 401);
  assert.equal((await visitor.submit("/login/code", { code: fresh })).location, "/dashboard");
});

test("a code is worth nothing after ten minutes, or after five tries", async (t) => {
  const { clock, studio, codeOf, visitor } = await given(t, await givenPglite(t));
  studio.edges.lockAfter = 100;
  await visitor.signIn();
  await clock.advance(10 * 60_000 + 1);
  assert.equal((await visitor.submit("/login/code", { code: await codeOf(0) })).status, 401);
  await visitor.submit("/login/code/resend", {});
  const code = await codeOf(1);
  const wrong = code === "123456" ? "654321" : "123456";
  for (let round = 1; round <= 5; round++) assert.equal((await visitor.submit("/login/code", { code: wrong })).status, 401);
  assert.equal((await visitor.submit("/login/code", { code })).status, 401);
});

test("a mail server that is down is told on the page, and asking again is possible at once", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t), { config: { smtpUrl: "smtp://127.0.0.1:1" } });
  await studio.accounts.create({ email, password, secondFactor: "mail" });
  const visitor = new Visitor(studio.url);
  const { location } = await visitor.signIn();
  assert.match((await visitor.get(location)).text, /role="alert">The code could not be mailed\./);
  assert.equal((await visitor.submit("/login/code/resend", {})).location, "/login/code?failed=1");
});
