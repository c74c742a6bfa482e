import { generateSync } from "otplib";
import { chromium, type Browser } from "playwright";
import { findBrowser } from "../../src/kit/find-browser.ts";
import { compete, type BenchTask } from "./contestant.ts";

/** The same task as a plain Playwright script would do it: no ledger, no gate, no look, no drafts kept, no report. */
await compete(async ({ studioUrl, tasks, concurrency }) => {
  const found = findBrowser({ setting: process.env["PODCREW_BROWSER"] });
  if (!found) throw new Error("There is no Chromium on this machine: node scripts/setup.mjs");
  return async () => {
    const browser = await chromium.launch({
      executablePath: found.executable,
      env: { ...process.env, ...found.env },
      chromiumSandbox: process.getuid?.() !== 0,
    });
    const queue = [...tasks];
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        for (let task = queue.shift(); task; task = queue.shift()) await post(browser, studioUrl, task);
      }),
    );
  };
});

async function post(browser: Browser, studioUrl: string, task: BenchTask): Promise<void> {
  const context = await browser.newContext({ baseURL: studioUrl });
  const page = await context.newPage();
  const quick = { waitUntil: "domcontentloaded" } as const;
  await page.goto("/login", quick);
  await page.getByLabel("E-mail").fill(task.email);
  await page.getByLabel("Password").fill(task.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Authentication code").fill(generateSync({ secret: task.totpSecret }));
  await page.getByRole("button", { name: "Verify" }).click();
  await page.waitForURL(/dashboard/, quick);
  for (const episode of task.episodes) {
    await page.goto(`/shows/${task.show}/episodes/new`, quick);
    await page.getByLabel("Title").fill(episode.title);
    await page.locator(".ql-editor").fill(episode.about);
    await page.getByLabel("Cover").setInputFiles(episode.coverPath);
    await page.getByLabel("Audio").setInputFiles(episode.audioPath);
    await page.getByText("Cover ready").waitFor();
    await page.getByText("Audio ready").waitFor();
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByRole("button", { name: "Publish now" }).click();
    await page.getByRole("link", { name: "Public page" }).waitFor();
  }
  await page.goto(`/shows/${task.show}/distribution`, quick);
  await page.getByLabel("RSS link").inputValue();
  await context.close();
}
