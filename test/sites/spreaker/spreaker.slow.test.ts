import driver from "../../../drivers/spreaker.ts";
import { driverBench } from "../../../src/driver/index.ts";
import { openSpreaker } from "./twin.ts";

const refusals = { "account.refused": { account: { apiToken: "demo-token-of-last-year" } } };

driverBench(driver, {
  async target() {
    const { origin, show, token, history, close } = await openSpreaker();
    return {
      origin,
      account: { username: show, apiToken: token },
      history: async () => history().length,
      enclosures: true,
      refusals,
      close,
    };
  },
});
