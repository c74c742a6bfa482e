import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { chromium, type Page } from "playwright";
import { findBrowser } from "../../src/kit/find-browser.ts";
import type { Edges } from "../../src/studio/edges.ts";
import { givenPglite } from "../support/store.ts";
import { codeAt, email, givenStudio, password, picture, wav } from "./support.ts";

/** A page in a real browser, files to upload, and what went wrong on the page. */
async function given(t: TestContext, options: { locale?: "en" | "vi"; edges?: Partial<Edges> } = {}) {
  const store = await givenPglite(t);
  const studio = await givenStudio(t, store, { edges: { processingMs: 300, ...options.edges } });
  const { id, totpSecret } = await studio.accounts.create({ email, password, secondFactor: "totp", locale: options.locale ?? "en" });
  await studio.shows.create({ ownerId: id, name: "slow-mornings", title: "Slow Mornings" });
  const files = {
    audio: join(store.dataDir, "ep-k7f3zq2mn5xw4rta.wav"),
    cover: join(store.dataDir, "cover.jpg"),
    wide: join(store.dataDir, "wide.jpg"),
  };
  await writeFile(files.audio, wav(3));
  await writeFile(files.cover, await picture(1400, 1400));
  await writeFile(files.wide, await picture(1600, 1400));
  const found = findBrowser();
  const browser = await chromium.launch({
    ...(found && { executablePath: found.executable, env: { ...process.env, ...found.env } }),
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  t.after(async () => browser.close());
  const context = await browser.newContext({ locale: options.locale === "vi" ? "vi-VN" : "en-US" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const trouble: string[] = [];
  page.on("pageerror", (error) => trouble.push(error.message));
  page.on("dialog", (dialog) => (trouble.push(`a script ran: ${dialog.message()}`), void dialog.dismiss()));
  // A refused call is logged by the browser itself; anything else is ours.
  page.on(
    "console",
    (message) => message.type() === "error" && !message.text().includes("Failed to load resource") && trouble.push(message.text()),
  );
  return { studio, page, files, trouble, totpSecret };
}

async function signIn(page: Page, url: string, totpSecret: string): Promise<void> {
  await page.goto(`${url}/dashboard`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Authentication code").fill(codeAt(totpSecret, Date.now()));
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByRole("heading", { name: "Your shows" }).waitFor();
}

test("from the sign-in to the public page, by the names that people see", async (t) => {
  const { studio, page, files, trouble, totpSecret } = await given(t);
  await signIn(page, studio.url, totpSecret);
  await page.getByRole("link", { name: "Slow Mornings" }).click();
  await page.getByRole("link", { name: "New episode" }).click();
  const title = `Phở <script>alert("1")</script> & bún`;
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Description").click();
  await page.keyboard.type("Xin chào  thế giới");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "list: bullet" }).click();
  await page.keyboard.type("Một");
  await page.keyboard.press("Enter");
  await page.keyboard.type("Hai");

  await page.getByLabel("Cover").setInputFiles(files.wide);
  await page.getByRole("alert").filter({ hasText: "The cover must be square." }).waitFor();
  await page.getByLabel("Cover").setInputFiles(files.cover);
  await page.getByText("Cover ready").waitFor();
  await page.getByLabel("Audio").setInputFiles(files.audio);
  await page.getByRole("status").filter({ hasText: "Processing audio…" }).waitFor();
  await page.getByRole("status").filter({ hasText: "Audio ready" }).waitFor();

  await page.getByRole("button", { name: "Save draft" }).click();
  await page.getByRole("status").filter({ hasText: "Draft saved" }).waitFor();
  const guid = /\/shows\/slow-mornings\/episodes\/([0-9a-f]{12})\/edit$/.exec(page.url())?.[1];
  assert.ok(guid);
  // What was saved is what the editor shows again.
  await page.reload();
  assert.equal(await page.getByLabel("Title").inputValue(), title);
  assert.deepEqual(await page.locator(".ql-editor li").allTextContents(), ["Một", "Hai"]);
  await page.goto(`${studio.url}/shows/slow-mornings/episodes?search=k7f3zq2mn5xw4rta`);
  const row = page.locator(`[data-guid="${guid}"]`);
  assert.equal(await row.getAttribute("data-status"), "draft");
  await row.getByRole("link", { name: title }).click();

  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("dialog", { name: "Publish this episode?" }).getByRole("button", { name: "Publish now" }).click();
  await page.getByRole("heading", { name: "Published", exact: true }).waitFor();
  const link = page.getByRole("link", { name: "Public page" });
  assert.match((await link.getAttribute("href")) ?? "", new RegExp(`/e/slow-mornings/pho-script-alert-1-script-bun-${guid}$`));
  await link.click();
  await page.getByRole("heading", { name: title }).waitFor();
  await page.getByRole("button", { name: "Play" }).click();
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.waitForFunction(() => (document.querySelector("audio")?.currentTime ?? 0) > 0.2);

  await page.goto(`${studio.url}/shows/slow-mornings/distribution`);
  assert.equal(await page.getByLabel("RSS link").inputValue(), `${studio.url}/feeds/slow-mornings.xml`);
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
  assert.match(await (await fetch(`${studio.url}/feeds/slow-mornings.xml`)).text(), /<ul><li>Một<\/li><li>Hai<\/li><\/ul>/);
  assert.deepEqual(
    (await studio.history()).map(({ outcome, title: name, audioFile }) => [outcome, name, audioFile]),
    [["published", title, "ep-k7f3zq2mn5xw4rta.wav"]],
  );
  await page.getByRole("link", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.deepEqual(trouble, []);
});

test("the pop-up stands in the way once, a draft can be scheduled and deleted, a refusal is an alert", async (t) => {
  const { studio, page, trouble, totpSecret } = await given(t, { edges: { whatsNew: true, processingMs: 0, changedLabel: "Release" } });
  await signIn(page, studio.url, totpSecret);
  await page.getByRole("dialog", { name: "What's new" }).getByRole("button", { name: "Got it" }).click();
  await page.goto(`${studio.url}/shows/slow-mornings/episodes/new`);
  await page.getByLabel("Title").fill("Not yet");
  await page.getByRole("button", { name: "Release", exact: true }).click();
  await page.getByRole("button", { name: "Release now" }).click();
  await page.getByRole("alert").filter({ hasText: "The episode needs audio." }).waitFor();
  await page.getByRole("button", { name: "Schedule" }).click();
  await page.getByLabel("Publish at").fill("2020-01-01T10:00");
  await page.getByRole("dialog").getByRole("button", { name: "Schedule" }).click();
  await page.getByRole("alert").filter({ hasText: "Choose a time that is still to come." }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Delete draft" }).click();
  await page.getByRole("dialog", { name: "Delete this draft?" }).getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No episodes yet" }).waitFor();
  assert.deepEqual(trouble, []);
});

test("the studio in Vietnamese", async (t) => {
  const { studio, page, files, trouble, totpSecret } = await given(t, { locale: "vi" });
  await page.goto(studio.url);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Mật khẩu").fill(password);
  await page.getByRole("button", { name: "Đăng nhập" }).click();
  await page.getByLabel("Mã xác thực").fill(codeAt(totpSecret, Date.now()));
  await page.getByRole("button", { name: "Xác minh" }).click();
  await page.getByRole("link", { name: "Slow Mornings" }).click();
  await page.getByRole("link", { name: "Tập mới" }).click();
  await page.getByLabel("Tiêu đề").fill("Buổi sáng ở Hà Nội");
  await page.getByLabel("Âm thanh").setInputFiles(files.audio);
  await page.getByText("Âm thanh đã sẵn sàng").waitFor();
  await page.getByRole("button", { name: "Xuất bản", exact: true }).click();
  await page.getByRole("button", { name: "Xuất bản ngay" }).click();
  await page.getByRole("heading", { name: "Đã xuất bản" }).waitFor();
  assert.deepEqual(
    (await studio.history()).map(({ outcome, title }) => [outcome, title]),
    [["published", "Buổi sáng ở Hà Nội"]],
  );
  assert.deepEqual(trouble, []);
});
