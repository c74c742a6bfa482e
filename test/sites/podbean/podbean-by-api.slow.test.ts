import driver from "../../../drivers/podbean.ts";
import { driverBench } from "../../../src/driver/index.ts";
import { openPodbean } from "./twin.ts";

driverBench(driver, {
  async target() {
    const { origin, token, history, close } = await openPodbean();
    return {
      origin,
      account: { apiToken: token },
      history: async () => history().length,
      enclosures: true,
      shown: { title: "h1", about: ".e-description" },
      refusals: { "account.refused": { account: { apiToken: "demo-token-of-last-year" } } },
      close,
    };
  },
});
