import type { Locator, Page } from "playwright";
import type { Interruption } from "./contract.ts";

/** A pop-up that fades is not to be dismissed twice; one that came back is. */
const FADES_WITHIN_MS = 1000;

/**
 * From here on, Playwright puts these pop-ups away before it acts on the page. Where several waits go on at once it tells of one pop-up
 * several times: it is put away once, as a second `dismiss` would wait for a button that is gone.
 */
export async function dismissInterruptions(page: Page, interruptions: readonly Interruption[]): Promise<void> {
  for (const { shows, dismiss } of interruptions) {
    const shown = shows(page).first();
    let running: Promise<void> | null = null;
    const handler = async (): Promise<void> => {
      running ??= putAway(page, shown, dismiss).finally(() => (running = null));
      return running;
    };
    // Playwright's own wait for its end would never call again for one that the next page shows meanwhile.
    await page.addLocatorHandler(shown, handler, { noWaitAfter: true });
  }
}

/**
 * Ends when the pop-up is out of the way, whoever took it there, or with its page: until then the step that met it must not go on, and ends
 * by its own time. Never rejects, as Playwright would leave the error to the process.
 */
async function putAway(page: Page, shown: Locator, dismiss: Interruption["dismiss"]): Promise<void> {
  // What comes of a driver may throw at once, too.
  const attempt = async (): Promise<void> => dismiss(page);
  while (await shown.isVisible().catch(() => false)) {
    const settled = new AbortController();
    const gone = shown.waitFor({ state: "hidden", timeout: 0, signal: settled.signal }).catch(() => undefined);
    // What `dismiss` clicks on may go by itself, or with its page.
    await Promise.race([attempt().catch(() => undefined), gone]);
    settled.abort();
    await shown.waitFor({ state: "hidden", timeout: FADES_WITHIN_MS }).catch(() => undefined);
  }
}
