import studio from "../../../drivers/podcrew-studio.ts";
import { defineDriver } from "../../../src/driver/index.ts";

/** Takes whatever the editor's page alerts to for a refusal, as most drivers would. */
export default defineDriver({
  ...studio,
  site: "studio-any-alert",
  refusals: { ...studio.refusals, "content.refused": { text: /\S/, within: ".editor [role=alert]" } },
});
