import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { launch } from "../../../../src/driver/bench-visit.ts";
import { createTotp } from "../../../../src/driver/totp.ts";
import { givenCrew } from "./crew.ts";
import type { MediaWiki, Member, Submit } from "./site.ts";

const STEP_MS = 30_000;
const ROUNDS = 3;

const stepOf = (atMs: number): number => Math.floor(atMs / STEP_MS);

/** The first moment of an authenticator's step: what follows comes within the same one. */
async function nextStep(): Promise<void> {
  await delay(STEP_MS - (Date.now() % STEP_MS));
}

/** Somebody at a browser of their own, with the phone in the hand. @returns what the wiki says then */
async function signInByHand(t: TestContext, wiki: MediaWiki, { username, password }: Member, code: string): Promise<string> {
  const browser = await launch();
  t.after(async () => browser.close());
  const page = await browser.newPage();
  await page.goto(`${wiki.origin}/index.php?title=Special:UserLogin`);
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator("[name=OATHToken]").fill(code);
  await page.getByRole("button", { name: /continue/i }).click();
  const shown = page.locator("#pt-logout, #userloginForm .mw-message-box-error, #userloginForm .errorbox, .error").first();
  return (await shown.innerText()).trim();
}

async function codeNow({ twofa }: Member): Promise<string> {
  return createTotp({ takeStep: async () => true })(twofa);
}

const codesOf = (submits: readonly Submit[]): string[] => submits.filter(({ kind }) => kind === "code").map(({ text }) => text);

test("a code that was used in another browser is refused; the farm signs in by the next one", async (t) => {
  const { wiki, start, ask, ended } = await givenCrew(t);
  const maya = await wiki.member("Maya");
  const farm = await start();
  await farm.up();
  await nextStep();
  const used = await codeNow(maya);
  assert.equal(await signInByHand(t, wiki, maya, used), "Log out");
  assert.match(await signInByHand(t, wiki, maya, used), /Verification failed/, "the wiki knows it again, also in another browser");
  const byHand = codesOf(await wiki.submits());

  const task = await ended(await ask(maya, "After somebody else"));
  assert.equal(task.state, "completed", task.errorMessage);
  const byFarm = codesOf(await wiki.submits()).slice(byHand.length);
  assert.equal(byFarm[0], used, "the farm could not know that it was used");
  assert.equal(byFarm.length, 2);
  assert.notEqual(byFarm[1], used, "what was refused is not sent again");
});

test("two sign-ins within one step never send one code twice", async (t) => {
  const { wiki, start, ask, ended } = await givenCrew(t);
  const farm = await start();
  await farm.up();
  // On a busy machine the second sign-in may begin after the step, which would show nothing.
  for (let round = 1; ; round += 1) {
    const maya = await wiki.member(`Maya ${round}`);
    await nextStep();
    const from = (await wiki.submits()).length;
    for (const title of [`First ${round}`, `Second ${round}`]) {
      const task = await ended(await ask(maya, title));
      assert.equal(task.state, "completed", task.errorMessage);
      await wiki.signOutEverybody();
    }
    const [password, code, passwordAgain, codeAgain, ...more] = (await wiki.submits()).slice(from);
    assert.ok(password && code && passwordAgain && codeAgain && more.length === 0, "one code for each sign-in: none was refused");
    assert.notEqual(code.text, codeAgain.text);
    if (stepOf(passwordAgain.at) === stepOf(code.at)) return;
    assert.ok(round < ROUNDS, "two sign-ins begin within one step");
  }
});
