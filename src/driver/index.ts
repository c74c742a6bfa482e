/** Everything a driver may import: `import { defineDriver, z } from "podcrew/driver"`. */
export { defineDriver } from "./define-driver.ts";
export { defineScript } from "./define-script.ts";
export { driverBench } from "./bench.ts";
export { targetFromEnvironment, type BenchTarget } from "./bench-target.ts";
export { readJson } from "./read-json.ts";
export { z } from "zod";
export type { OrderedEpisode, Script, ScriptTools } from "./define-script.ts";
export type {
  Copy,
  Driver,
  DriverContext,
  DriverDeclaration,
  Entry,
  Episode,
  FeedImport,
  Interruption,
  Limits,
  MailedCodeQuery,
  PublishRequest,
  Refusal,
} from "./contract.ts";
