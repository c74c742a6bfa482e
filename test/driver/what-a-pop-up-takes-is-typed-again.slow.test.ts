import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Page } from "playwright";
import studioDriver from "../../drivers/podcrew-studio.ts";
import { enter } from "../../src/driver/bench-visit.ts";
import { writeHtml } from "../../src/driver/write-html.ts";
import { writeText } from "../../src/driver/write-text.ts";
import type { Driver } from "../../src/driver/contract.ts";
import { email, givenStudio, password } from "../studio/support.ts";
import { givenPglite } from "../support/store.ts";
import { givenPage } from "./support.ts";

const secret = "demo-pass-Word-1!";
const STEP_MS = 3000;
/** A step that was begun in time may last as long again; the rest is for a slow machine. */
const AT_MOST_MS = 5 * STEP_MS;

/**
 * A form whose password field opens a modal pop-up when it gets the focus. The form has no rules of its own: it sends what there is.
 * @param openings how often it opens; the pop-up goes by itself after 300 ms
 */
async function givenForm(t: TestContext, openings: number): Promise<{ page: Page; sent: string[] }> {
  const page = await givenPage(t);
  const sent: string[] = [];
  await page.route("https://site.example.com/**", async (route) => {
    const posted = new URLSearchParams(route.request().postData() ?? "").get("password");
    if (posted !== null) sent.push(posted);
    await route.fulfill({ contentType: "text/html", body: posted === null ? form(openings) : "<h1>In</h1>" });
  });
  await page.goto("https://site.example.com/login");
  return { page, sent };
}

const form = (openings: number): string => `
  <form method="post" action="/login">
    <label>Password <input type="password" name="password" /></label>
    <button>Sign in</button>
  </form>
  <dialog><p>We use cookies</p><input aria-label="Search" /></dialog>
  <script>
    let left = ${openings};
    const dialog = document.querySelector("dialog");
    document.querySelector("[type=password]").addEventListener("focus", () => {
      if (left-- <= 0) return;
      dialog.showModal();
      setTimeout(() => dialog.close(), 300);
    });
  </script>`;

/** All that an error carries, also what is not printed by itself. */
const saidBy = (error: Error): string =>
  [error.message, error.stack, ...Object.values(error).map((value) => JSON.stringify(value))].join("\n");

test("the pop-up is one that fill() falls for: it reports success, and an empty password is sent", async (t) => {
  const { page, sent } = await givenForm(t, 1);
  await page.getByLabel("Password").fill(secret);
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  assert.equal(await page.getByLabel("Search").inputValue(), secret, "the pop-up took it");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "In" }).waitFor();
  assert.deepEqual(sent, [""]);
});

test("what a pop-up takes is typed again, and the password is sent once, whole", async (t) => {
  for (const openings of [0, 1, 3]) {
    const { page, sent } = await givenForm(t, openings);
    await writeText(page.getByLabel("Password"), secret);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "In" }).waitFor();
    assert.deepEqual(sent, [secret], `${openings} pop-ups`);
  }
});

test("what stood in the field before is no proof that the text came", async (t) => {
  const { page } = await givenForm(t, 1);
  const field = page.getByLabel("Password");
  await field.evaluate((input: HTMLInputElement) => (input.value = "the one before"));
  await writeText(field, secret);
  assert.equal(await field.inputValue(), secret);
});

test("a field that stays empty ends in an error in time, which names the field and not the text", async (t) => {
  const forEver = Number.MAX_SAFE_INTEGER;
  for (const [kind, openings, isTakenOut, why] of [
    ["a pop-up at each focus", forEver, false, /nothing that was typed came to the field/],
    ["a page that takes it out", 0, true, /the page emptied the field again/],
  ] as const) {
    const { page, sent } = await givenForm(t, openings);
    page.setDefaultTimeout(STEP_MS);
    const field = page.getByLabel("Password");
    if (isTakenOut) await field.evaluate((input: HTMLInputElement) => input.addEventListener("input", () => (input.value = "")));
    const began = performance.now();
    await assert.rejects(writeText(field, secret), (error: Error) => {
      assert.match(error.message, why, kind);
      assert.match(error.message, /waiting for getByLabel\('Password'\)/);
      assert.ok(!saidBy(error).includes(secret), "the text in the error");
      return true;
    });
    const tookMs = performance.now() - began;
    assert.ok(tookMs >= STEP_MS && tookMs < AT_MOST_MS, `${kind}: ${Math.round(tookMs)} ms`);
    assert.deepEqual(sent, []);
  }
});

test("Playwright's own errors keep the text to themselves, however the page shows it", async (t) => {
  const page = await givenPage(t);
  page.setDefaultTimeout(STEP_MS);
  const lines = "line one\n\nline “two”";
  await page.setContent(`<label>Password <input type="password" disabled value='${secret}' /></label>
    <label>Notes <textarea readonly>${lines}</textarea></label>
    <label>Twice <input value="${secret}" /></label><label>Twice <input /></label>
    <dialog>Stay</dialog><label>Under <input /></label>`);
  for (const [label, text, says] of [
    ["Password", secret, /element is not enabled/],
    ["Notes", lines, /element is not editable/],
    ["Twice", secret, /strict mode violation: getByLabel\('Twice'\) resolved to 2 elements/],
    ["Missing", secret, /waiting for getByLabel\('Missing'\)/],
  ] as const) {
    await assert.rejects(writeText(page.getByLabel(label), text), (error: Error) => {
      assert.match(error.message, says);
      for (const line of text.split("\n").filter(Boolean)) assert.ok(!saidBy(error).includes(line), error.message);
      return true;
    });
  }
  await page.evaluate(() => document.querySelector("dialog")!.showModal());
  await assert.rejects(writeText(page.getByLabel("Under"), secret), /element is inert/);
});

test("how a field writes the text is its own affair", async (t) => {
  const page = await givenPage(t);
  await page.setContent(`
    <label>Cut <input maxlength="4" value="old" /></label>
    <label>Trimmed <input value="Title" oninput="this.value = this.value.trim()" /></label>
    <label>Grouped <input oninput="this.value = this.value.replace(/(...)(?=.)/g, '$1 ')" /></label>
    <label>Number <input type="number" value="1" /></label>
    <label>Date <input type="date" /></label>
    <label>Lines <textarea>old</textarea></label>
    <label>Emptied <input value="old" /></label>
    <h1 role="textbox" aria-label="Editor" contenteditable="true">old</h1>`);
  const written = async (label: string, text: string): Promise<string> => {
    await writeText(page.getByLabel(label), text);
    return page.getByLabel(label).evaluate((field) => (field as HTMLInputElement).value ?? field.textContent);
  };
  assert.equal(await written("Cut", "123456"), "1234");
  assert.equal(await written("Trimmed", "  Title "), "Title");
  assert.equal(await written("Grouped", "123456"), "123 456");
  assert.equal(await written("Number", "2"), "2");
  assert.equal(await written("Date", "2026-11-21"), "2026-11-21");
  assert.equal(await written("Lines", "a\nb"), "a\nb");
  assert.equal(await written("Emptied", ""), "");
  assert.equal(await written("Editor", "Một tối"), "Một tối");
  await writeHtml(page.getByLabel("Lines"), "<p>a</p>");
  assert.equal(await page.getByLabel("Lines").inputValue(), "<p>a</p>");
});

test("a code that the page takes along as soon as it is whole is typed once, also where it is refused", async (t) => {
  const ask = `<label>Code <input name="code" oninput="if (this.value.length === 6) take(this)" /></label>`;
  for (const [kind, take] of [
    [
      "by a form",
      "const take = (field) => { const f = document.createElement('form'); f.method = 'post'; document.body.append(f); f.append(field); f.submit(); }",
    ],
    ["by a script", "const take = (field) => { void fetch('/code', { method: 'POST', body: 'code=' + field.value }); field.value = ''; }"],
    ["to where nobody answers", "const take = (field) => { location.assign('/never?code=' + field.value); field.value = ''; }"],
    ["and is gone", "const take = (field) => { void fetch('/code', { method: 'POST', body: 'code=' + field.value }); field.remove(); }"],
  ] as const) {
    const page = await givenPage(t);
    const codes: string[] = [];
    await page.route("https://site.example.com/**", async (route) => {
      const request = route.request();
      const code = new URL(request.url()).searchParams.get("code") ?? new URLSearchParams(request.postData() ?? "").get("code");
      if (code !== null) codes.push(code);
      if (request.url().includes("/never")) return;
      await route.fulfill({ contentType: "text/html", body: `${ask}<script>${take}</script>` });
    });
    await page.goto("https://site.example.com/code");
    await writeText(page.getByLabel("Code"), "123456");
    await page.waitForTimeout(500);
    assert.deepEqual(codes, ["123456"], kind);
  }
});

test("the studio's driver signs in under a pop-up at the password and at the code, without one wrong try", async (t) => {
  // The first wrong try, an empty password or code, would lock the account.
  const studio = await givenStudio(t, await givenPglite(t), { edges: { popUpAt: "#password, #code", lockAfter: 1 } });
  const { totpSecret } = await studio.accounts.create({ email, password, secondFactor: "totp" });
  const page = await givenPage(t);
  await page.goto(`${studio.url}/login`);
  await page.getByLabel("Password").fill(password);
  assert.equal(await page.getByLabel("Password").inputValue(), "", "the edge takes what fill() types");
  await page.context().close();

  const driver: Driver = studioDriver;
  const context = await page.context().browser()!.newContext({ baseURL: studio.url });
  const visit = await enter(driver, { origin: studio.url, account: { email, password, twofa: totpSecret } }, context);
  await visit.signIn();
  assert.equal(await driver.isSignedIn(visit.site), true);
  assert.equal(visit.dismissed(), 2, "pop-ups that were put away");
});
