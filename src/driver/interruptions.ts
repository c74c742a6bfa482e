import type { Page } from "playwright";
import type { Interruption } from "./contract.ts";

/** From here on, Playwright puts these pop-ups away before it acts on the page. */
export async function dismissInterruptions(page: Page, interruptions: readonly Interruption[]): Promise<void> {
  for (const { shows, dismiss } of interruptions) {
    await page.addLocatorHandler(shows(page).first(), async () => dismiss(page));
  }
}
