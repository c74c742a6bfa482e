import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Locator, Page } from "playwright";
import { writeHtml } from "../../src/driver/write-html.ts";
import { codeAt, email, givenStudio, password, showName } from "../studio/support.ts";
import { givenPglite } from "../support/store.ts";
import { givenPage } from "./support.ts";

/** Pretty-printed as a person would write it: the white space between the blocks is nobody's blank line. */
const html = `
<p>Một tối ở <strong>Hội An</strong>: “phở” &amp; bánh mì.</p>

<p>Nghe thêm ở <a href="https://example.com/hoi-an?a=1&amp;b=2">trang của chúng tôi</a>, <em>miễn phí</em>.</p>
<ul>
  <li>Đèn lồng</li>
  <li>Tiếng rao</li>
</ul>
<p>Hẹn gặp lại!</p>
`;
const lines = ["Một tối ở Hội An: “phở” & bánh mì.", "Nghe thêm ở trang của chúng tôi, miễn phí.", "Đèn lồng", "Tiếng rao", "Hẹn gặp lại!"];

/** Every line once, in order, none of them blank; the link, the list and the accents as they were. */
async function holdsAll(place: Locator): Promise<void> {
  assert.deepEqual(
    await place.locator("p, li").evaluateAll((blocks) => blocks.map((block) => (block as HTMLElement).innerText.normalize("NFC").trim())),
    lines,
  );
  const link = place.getByRole("link", { name: "trang của chúng tôi" });
  assert.equal(await link.getAttribute("href"), "https://example.com/hoi-an?a=1&b=2");
  assert.deepEqual(await place.locator("li").allInnerTexts(), ["Đèn lồng", "Tiếng rao"]);
  assert.equal(await place.locator("strong").innerText(), "Hội An");
  assert.equal(await place.locator("em").innerText(), "miễn phí");
}

test("the studio's Quill, written to twice, holds the text once, and so does the saved draft", async (t) => {
  const page = await atNewEpisode(t);
  const editor = page.getByLabel("Description");
  await writeHtml(editor, "<p>What was there before.</p>");
  await writeHtml(editor, html);
  await holdsAll(editor);
  await page.getByLabel("Title").fill("Đêm Hội An");
  await page.getByRole("button", { name: "Save draft" }).click();
  await page.getByRole("status").filter({ hasText: "Draft saved" }).waitFor();
  await page.reload();
  await holdsAll(page.getByLabel("Description"));
});

test("a plain contenteditable takes it in place of what was there", async (t) => {
  const page = await givenPage(t);
  await page.setContent(
    '<div contenteditable="true" role="textbox" aria-label="About"><p>What was there before.</p><ul><li>old</li></ul></div>',
  );
  const editor = page.getByLabel("About");
  await writeHtml(editor, html);
  await writeHtml(editor, html);
  await holdsAll(editor);
});

test("an editor that listens for pastes, as TipTap and its kin do, is pasted into", async (t) => {
  const page = await givenPage(t);
  await page.setContent('<div class="shell" data-testid="shell"><div contenteditable="true"><p>before</p></div></div>');
  await page.evaluate(() => {
    const editor = document.querySelector("[contenteditable]")!;
    editor.addEventListener("paste", (event) => {
      event.preventDefault();
      editor.innerHTML = (event as ClipboardEvent).clipboardData!.getData("text/html");
      (globalThis as { pastes?: number }).pastes = ((globalThis as { pastes?: number }).pastes ?? 0) + 1;
    });
  });
  // The element around the editor will do: authors find that one by its name more often.
  await writeHtml(page.getByTestId("shell"), html);
  await holdsAll(page.getByTestId("shell"));
  assert.equal(await page.evaluate(() => (globalThis as { pastes?: number }).pastes), 1);
});

test("a textarea takes the HTML as it is", async (t) => {
  const page = await givenPage(t);
  await page.setContent("<label>About <textarea>before</textarea></label>");
  await writeHtml(page.getByLabel("About"), html);
  assert.equal(await page.getByLabel("About").inputValue(), html);
});

test("an editor that loses the link is told, and nothing is published in that state", async (t) => {
  const page = await givenPage(t);
  await page.setContent('<div contenteditable="true" data-testid="editor"></div>');
  await page.evaluate(() => {
    const editor = document.querySelector("[contenteditable]")!;
    new MutationObserver(() => {
      for (const link of editor.querySelectorAll("a")) link.replaceWith(...link.childNodes);
    }).observe(editor, { childList: true, subtree: true });
  });
  await assert.rejects(writeHtml(page.getByTestId("editor"), html), {
    code: "site.changed",
    message: /did not keep the text.*the links differ/s,
  });
});

/** Signed in to a real studio, at the form of a new episode. */
async function atNewEpisode(t: TestContext): Promise<Page> {
  const studio = await givenStudio(t, await givenPglite(t));
  const { id, totpSecret } = await studio.accounts.create({ email, password, secondFactor: "totp" });
  await studio.shows.create({ ownerId: id, name: showName, title: "Slow Mornings" });
  const page = await givenPage(t);
  await page.goto(`${studio.url}/login`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Authentication code").fill(codeAt(totpSecret, Date.now()));
  await page.getByRole("button", { name: "Verify" }).click();
  await page.waitForURL(/dashboard/);
  await page.goto(`${studio.url}/shows/${showName}/episodes/new`);
  return page;
}
