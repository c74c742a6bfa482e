import driver from "../../drivers/podops.ts";
import { driverBench } from "../../src/driver/index.ts";
import { openPodopsTarget } from "./podops-target.ts";

driverBench(driver, { target: openPodopsTarget });
driverBench(driver, {
  async target() {
    const { origin, adminKey, ...target } = await openPodopsTarget();
    const answer = await fetch(`${origin}/_a/token`, {
      method: "POST",
      headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
      body: JSON.stringify({ scope: "production:read production:build resource:read resource:write" }),
    });
    const { token } = (await answer.json()) as { token: string };
    const refusals = { "account.refused": { account: { apiToken: "demo.wrong.token" } } };
    return { ...target, origin, account: { apiToken: token }, refusals };
  },
});
