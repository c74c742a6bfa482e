import { defineDriver } from "../../../src/driver/index.ts";
import { base } from "./pieces.ts";

/** A studio that shows nothing of what it has: the address comes with the answer, or never. */
export default defineDriver({ ...base, site: "studio-blind", hosts: ["blind.example.com"], tier: "blind" });
