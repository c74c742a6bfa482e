import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOn, refusalsFor, untilRefused } from "../../src/driver/refusals.ts";
import type { Driver } from "../../src/driver/contract.ts";
import { givenPage } from "./support.ts";

const driver: Pick<Driver, "refusals"> = {
  refusals: {
    "account.refused": /wrong password/i,
    "account.challenged": { text: /are you a human/i, within: "h1" },
    "content.refused": /not allowed/i,
  },
};
const codes = (verb: string, episode?: { title: string; aboutText: string }): string[] =>
  refusalsFor(driver, verb, episode).map(([code]) => code);

test("while signing in every refusal counts; afterwards a wrong password can't be meant any more", () => {
  assert.deepEqual(codes("signIn"), ["account.refused", "account.challenged", "content.refused"]);
  assert.deepEqual(codes("draft"), ["account.challenged", "content.refused"]);
});

test("words that stand in the episode's own text are no refusal of it", () => {
  assert.deepEqual(codes("draft", { title: "Dogs are not allowed", aboutText: "" }), ["account.challenged"]);
  assert.deepEqual(codes("draft", { title: "Are you a human?", aboutText: "" }), ["content.refused"], "a heading may be a title");
  assert.deepEqual(codes("draft", { title: "", aboutText: "Are you a human? Then listen." }), ["account.challenged", "content.refused"]);
});

test("a refusal is told by its code, in the site's own words", async (t) => {
  const page = await givenPage(t);
  await page.setContent('<h1>Sign in</h1><div role="alert">Sorry,\n  wrong   password.</div>');
  const refusal = await refusalOn(page, refusalsFor(driver, "signIn"));
  assert.equal(refusal?.code, "account.refused");
  assert.equal(refusal?.detail, "Sorry, wrong password.");
});

test("words that nobody sees, or that stand elsewhere than they count, are none", async (t) => {
  const page = await givenPage(t);
  await page.setContent('<h1>Sign in</h1><div role="alert" hidden>Wrong password</div><p>Are you a human? Read our blog.</p>');
  assert.equal(await refusalOn(page, refusalsFor(driver, "signIn")), null);
});

test("a refusal that comes later is seen when it comes", async (t) => {
  const page = await givenPage(t);
  await page.setContent("<h1>Sign in</h1><button onclick=\"document.querySelector('h1').textContent = 'Are you a human?'\">Go</button>");
  const watching = new AbortController();
  const refused = untilRefused(page, refusalsFor(driver, "signIn"), watching.signal);
  await page.getByRole("button", { name: "Go" }).click();
  assert.equal((await refused)?.code, "account.challenged");
  watching.abort();
});

test("whoever watches for refusals can be called off, and ends when the page goes", async (t) => {
  const page = await givenPage(t);
  const watching = new AbortController();
  const refused = untilRefused(page, refusalsFor(driver, "signIn"), watching.signal);
  watching.abort();
  assert.equal(await refused, null);
  const gone = untilRefused(page, refusalsFor(driver, "signIn"), new AbortController().signal);
  await page.close();
  assert.equal(await gone, null);
});
