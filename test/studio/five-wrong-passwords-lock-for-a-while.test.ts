import assert from "node:assert/strict";
import { test } from "node:test";
import { eachBackend, givenPglite } from "../support/store.ts";
import { virtualClock } from "../support/virtual-clock.ts";
import { codeAt, email, givenShow, givenStudio, password, Visitor } from "./support.ts";

eachBackend("five wrong passwords lock the account for 15 minutes, also over a restart", async (t, given) => {
  const clock = virtualClock();
  const first = await givenStudio(t, given, { clock });
  await givenShow(first);
  const visitor = new Visitor(first.url);
  for (let round = 1; round <= 4; round++)
    assert.match((await visitor.signIn("wrong-password")).text, /role="alert">The e-mail or password is wrong\./);
  assert.match((await visitor.signIn("wrong-password")).text, /role="alert">Too many tries\. Wait 15 minutes/);
  assert.match((await visitor.signIn(password)).text, /Too many tries\./, "the right one is not even looked at");

  await first.close();
  const second = await givenStudio(t, given, { clock });
  const later = new Visitor(second.url);
  await clock.advance(14 * 60_000);
  assert.equal((await later.signIn(password)).status, 429);
  await clock.advance(61_000);
  assert.equal((await later.signIn(password)).location, "/dashboard");
});

test("a right password in between starts the count anew", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const visitor = new Visitor(studio.url);
  for (let round = 1; round <= 4; round++) await visitor.signIn("wrong-password");
  assert.equal((await visitor.signIn()).status, 302);
  const other = new Visitor(studio.url);
  assert.equal((await other.signIn("wrong-password")).status, 401);
});

test("an unknown e-mail is answered, and locked, like a known one", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  const visitor = new Visitor(studio.url);
  assert.match((await visitor.signIn("wrong-password", "nobody@example.com")).text, /The e-mail or password is wrong\./);
  for (let round = 2; round <= 5; round++) await visitor.signIn("wrong-password", "nobody@example.com");
  assert.equal((await visitor.signIn("wrong-password", "nobody@example.com")).status, 429);
});

test("codes can't be guessed between right passwords", async (t) => {
  const clock = virtualClock();
  const studio = await givenStudio(t, await givenPglite(t), { clock });
  const { totpSecret } = await studio.accounts.create({ email, password, secondFactor: "totp" });
  const visitor = new Visitor(studio.url);
  const answers: number[] = [];
  for (let round = 1; round <= 5; round++) {
    await visitor.signIn();
    await visitor.get("/login/code");
    answers.push((await visitor.submit("/login/code", { code: "000000" })).status);
  }
  assert.deepEqual(answers, [401, 401, 401, 401, 429]);
  assert.equal((await visitor.signIn()).status, 429);
  await clock.advance(15 * 60_000 + 1000);
  await visitor.signIn();
  assert.equal((await visitor.submit("/login/code", { code: codeAt(totpSecret, clock.now()) })).status, 302);
});

test("many tries at once get no more than five", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const visitors = await Promise.all(Array.from({ length: 12 }, async () => new Visitor(studio.url).signIn("wrong-password")));
  assert.ok(visitors.filter(({ text }) => text.includes("The e-mail or password is wrong.")).length <= 5);
});
