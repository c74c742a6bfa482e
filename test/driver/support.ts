import type { TestContext } from "node:test";
import { chromium, type Page } from "playwright";
import { findBrowser } from "../../src/kit/find-browser.ts";

/** An empty page of a real browser, closed after the test. */
export async function givenPage(t: TestContext): Promise<Page> {
  const found = findBrowser({ setting: process.env["PODCREW_BROWSER"] || undefined });
  const browser = await chromium.launch({
    ...(found && { executablePath: found.executable, env: { ...(process.env as Record<string, string>), ...found.env } }),
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  t.after(async () => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  return page;
}
