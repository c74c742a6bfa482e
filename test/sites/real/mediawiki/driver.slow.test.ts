import { generateSecret } from "otplib";
import driver from "../../../../drivers/mediawiki.ts";
import { driverBench, type BenchTarget } from "../../../../src/driver/index.ts";
import { openRealSite } from "../real-site.ts";
import { site } from "./site.ts";

/** As many wrong passwords as the wiki takes within five minutes. */
const GUESSES = 5;

driverBench(driver, {
  async target(): Promise<BenchTarget> {
    const wiki = await openRealSite(site);
    const [forgetful, locked, suspicious] = [await wiki.member("Forgetful"), await wiki.member("Locked"), await wiki.member("Suspicious")];
    return {
      origin: wiki.origin,
      account: await wiki.member("Maya"),
      history: async () => (await wiki.newPages()).reduce((sum, { revisions }) => sum + revisions, 0),
      shown: { title: "h1", about: "#mw-content-text [id^=ep-]" },
      refusals: {
        "account.refused": { account: { ...forgetful, password: "demo-password-of-last-year" } },
        "totp.refused": { account: { ...forgetful, twofa: generateSecret() } },
        "account.locked": { account: locked, prepare: async () => wiki.guess(locked, GUESSES) },
        "account.challenged": {
          account: suspicious,
          prepare: async () => wiki.captchaAtSignIn(true).then(async () => wiki.guess(suspicious, 1)),
          restore: async () => wiki.captchaAtSignIn(false),
        },
      },
      close: async () => wiki.close(),
    };
  },
});
