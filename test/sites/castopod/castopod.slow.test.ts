import driver from "../../../drivers/castopod.ts";
import { driverBench } from "../../../src/driver/index.ts";
import { openCastopod } from "./twin.ts";

driverBench(driver, {
  async target() {
    const { origin, add, history, close } = await openCastopod();
    const account = add({ email: "maya@podcrew.example", password: "demo-password-maya" });
    return {
      origin,
      account,
      history: async () => history().length,
      enclosures: true,
      shown: { title: "h1", about: ".notes" },
      refusals: { "account.refused": { account: { password: "demo-password-of-last-year" } } },
      close,
    };
  },
});
