import studio from "../../../../drivers/podcrew-studio.ts";
import { defineDriver, type DriverContext } from "../../../../src/driver/index.ts";

/** Podcrew's own studio by a driver with bad manners: what an episode's title begins with is done before it is drafted. */
const manners: Record<string, (site: DriverContext) => Promise<void>> = {
  /** Blocks the thread, and all that runs in it. */
  blocks: async () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  /** Ends the thread. */
  exits: async () => process.exit(1),
  /** The page's process crashes. */
  crashes: async ({ page }) => void (await page.goto("chrome://crash")),
  /** The browser itself crashes, with the pages of all others in it. */
  explodes: async ({ page }) => {
    const session = await page.context().browser()?.newBrowserCDPSession();
    await session?.send("Browser.crash");
  },
};

export default defineDriver({
  ...studio,
  site: "ill-mannered",
  hosts: ["ill-mannered.example.com"],
  async draft(site, episode, draftId) {
    await manners[episode.title.split(" ", 1)[0] ?? ""]?.(site);
    return studio.draft(site as never, episode, draftId);
  },
});
