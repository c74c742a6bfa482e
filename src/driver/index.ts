/** Everything a driver may import: `import { defineDriver, z } from "podcrew/driver"`. */
export { defineDriver } from "./define-driver.ts";
export { driverBench, type BenchTarget } from "./bench.ts";
export { readJson } from "./read-json.ts";
export { z } from "zod";
export type {
  Copy,
  Driver,
  DriverContext,
  DriverDeclaration,
  Entry,
  Episode,
  Interruption,
  Limits,
  MailedCodeQuery,
  PublishRequest,
  Refusal,
} from "./contract.ts";
