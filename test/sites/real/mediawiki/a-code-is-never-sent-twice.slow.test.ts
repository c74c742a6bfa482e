import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../../../src/kit/clock.ts";
import { launch } from "../../../../src/driver/bench-visit.ts";
import { createTotp } from "../../../../src/driver/totp.ts";
import { givenCrew } from "./crew.ts";
import type { MediaWiki, Member, Submit } from "./site.ts";

const STEP_MS = 30_000;
/** On a busy machine a sign-in may come after the step that it is meant for, which would show nothing. */
const ROUNDS = 3;

const stepOf = (atMs: number): number => Math.floor(atMs / STEP_MS);
const untilStep = async (step: number): Promise<void> => delay(step * STEP_MS - Date.now());

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

/** The wiki takes codes of the next two minutes, too: phones are fast. */
async function codeOf({ twofa }: Member, step: number): Promise<string> {
  const now = (): number => step * STEP_MS;
  return createTotp({ takeStep: async () => true, clock: { ...systemClock, now } })(twofa);
}

const codesOf = (submits: readonly Submit[]): string[] => submits.filter(({ kind }) => kind === "code").map(({ text }) => text);

test("a code that was used in another browser is refused; the farm signs in by the next one", async (t) => {
  const { wiki, start, ask, ended } = await givenCrew(t);
  const farm = await start();
  await farm.up();
  for (let round = 1; ; round += 1) {
    const maya = await wiki.member(`Maya ${round}`);
    // By hand it may take its time, so that the farm has the whole step.
    const step = stepOf(Date.now()) + 2;
    const used = await codeOf(maya, step);
    assert.equal(await signInByHand(t, wiki, maya, used), "Log out");
    assert.match(await signInByHand(t, wiki, maya, used), /Verification failed/, "the wiki knows it again, also in another browser");
    const byHand = (await wiki.submits()).length;

    await untilStep(step);
    const task = await ended(await ask(maya, `After somebody else ${round}`));
    assert.equal(task.state, "completed", task.errorMessage);
    const [first, second, ...more] = codesOf((await wiki.submits()).slice(byHand));
    assert.equal(more.length, 0);
    assert.notEqual(first, second, "what was refused is not sent again");
    // The farm could not know that it was used.
    if (first === used) return assert.ok(second, "the next one was taken");
    assert.ok(round < ROUNDS, "the farm signs in within the step of the used code");
  }
});

test("two accounts that share an authenticator, signing in at once, never send one code twice", async (t) => {
  const { wiki, start, ask, ended } = await givenCrew(t);
  const farm = await start();
  await farm.up();
  for (let round = 1; ; round += 1) {
    const maya = await wiki.member(`Maya ${round}`);
    const from = (await wiki.submits()).length;
    await untilStep(stepOf(Date.now()) + 1);
    // To the wiki one and the same, to the manager two.
    const spelled = [maya, { ...maya, username: maya.username.replaceAll(" ", "_") }];
    const asked = await Promise.all(spelled.map(async (member, index) => ask(member, `Episode ${round} of ${index}`)));
    for (const taskId of asked) {
      const task = await ended(taskId);
      assert.equal(task.state, "completed", task.errorMessage);
    }
    const submits = (await wiki.submits()).slice(from);
    const codes = submits.filter(({ kind }) => kind === "code");
    assert.equal(codes.length, 2, "one code for each sign-in: none was refused");
    assert.notEqual(codes[0]?.text, codes[1]?.text);
    const passwords = submits.filter(({ kind }) => kind === "password").map(({ at }) => stepOf(at));
    if (passwords.length === 2 && passwords.every((step) => step === stepOf(codes[0]?.at ?? 0))) return;
    assert.ok(round < ROUNDS, "both ask for a code within one step");
  }
});
