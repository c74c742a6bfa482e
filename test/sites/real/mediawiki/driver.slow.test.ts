import { generateSecret } from "otplib";
import driver from "../../../../drivers/mediawiki.ts";
import { driverBench, type BenchTarget } from "../../../../src/driver/index.ts";
import { openRealSite } from "../real-site.ts";
import { site } from "./site.ts";

driverBench(driver, {
  async target(): Promise<BenchTarget> {
    const wiki = await openRealSite(site);
    const forgetful = await wiki.member("Forgetful");
    return {
      origin: wiki.origin,
      account: await wiki.member("Maya"),
      history: async () => (await wiki.newPages()).reduce((sum, { revisions }) => sum + revisions, 0),
      shown: { title: "h1", about: "#mw-content-text [id^=ep-]" },
      refusals: {
        "account.refused": { account: { ...forgetful, password: "demo-password-of-last-year" } },
        "totp.refused": { account: { ...forgetful, twofa: generateSecret() } },
      },
      close: async () => wiki.close(),
    };
  },
});
