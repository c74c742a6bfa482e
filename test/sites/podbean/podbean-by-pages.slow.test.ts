import { generateSecret } from "otplib";
import driver from "../../../drivers/podbean.ts";
import { driverBench } from "../../../src/driver/index.ts";
import { openPodbean } from "./twin.ts";

driverBench(driver, {
  async target() {
    const { origin, add, history, close } = await openPodbean();
    const member = (name: string): { email: string; password: string; twofa: string } => {
      const {
        email,
        password,
        totpSecret = "",
      } = add({
        email: `${name}@podcrew.example`,
        password: `demo-password-${name}`,
        totpSecret: generateSecret(),
      });
      return { email, password, twofa: totpSecret };
    };
    return {
      origin,
      account: member("maya"),
      history: async () => history().length,
      enclosures: true,
      shown: { title: "h1", about: ".e-description" },
      refusals: {
        "account.refused": { account: { ...member("forgetful"), password: "demo-password-of-last-year" } },
        "totp.refused": { account: { ...member("other-phone"), twofa: generateSecret() } },
      },
      close,
    };
  },
});
