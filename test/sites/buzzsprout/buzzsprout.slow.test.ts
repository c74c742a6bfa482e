import driver from "../../../drivers/buzzsprout.ts";
import { driverBench } from "../../../src/driver/index.ts";
import { openBuzzsprout } from "./twin.ts";

const refusals = { "account.refused": { account: { apiToken: "demo-token-of-last-year" } } };

driverBench(driver, {
  async target() {
    const { origin, podcast, token, history, close } = await openBuzzsprout();
    return {
      origin,
      account: { username: podcast, apiToken: token },
      history: async () => history().length,
      enclosures: true,
      shown: { title: "h1", about: ".notes" },
      refusals,
      close,
    };
  },
});
