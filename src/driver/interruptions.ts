import type { Page } from "playwright";
import type { Interruption } from "./contract.ts";

/**
 * From here on, Playwright puts these pop-ups away before it acts on the page. Where several waits go on at once it tells of one pop-up
 * several times: it is put away once, as a second `dismiss` would wait for a button that is gone, and nobody catches its error.
 */
export async function dismissInterruptions(page: Page, interruptions: readonly Interruption[]): Promise<void> {
  for (const { shows, dismiss } of interruptions) {
    const shown = shows(page).first();
    let running: Promise<void> | null = null;
    const putAway = async (): Promise<void> => {
      if (await shown.isVisible()) await dismiss(page);
    };
    await page.addLocatorHandler(shown, async () => {
      running ??= putAway().finally(() => (running = null));
      return running;
    });
  }
}
