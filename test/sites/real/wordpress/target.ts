import type { BenchTarget } from "../../../../src/driver/index.ts";
import { openRealSite } from "../real-site.ts";
import { site } from "./site.ts";

/** A WordPress of its own for one bench. */
export async function openWordPressTarget(): Promise<BenchTarget> {
  const wordpress = await openRealSite(site);
  return {
    origin: wordpress.origin,
    account: wordpress.account,
    history: async () => (await wordpress.history()).length,
    shown: { title: "h1.wp-block-post-title", about: ".entry-content" },
    enclosures: true,
    interrupt: async () => wordpress.greet(),
    refusals: {
      "account.refused": { account: { ...wordpress.account, password: "demo-password-of-last-year" } },
      "account.locked": { account: wordpress.locked },
    },
    close: async () => wordpress.close(),
  };
}
