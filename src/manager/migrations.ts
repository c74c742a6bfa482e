import type { Migration } from "kysely/migration";
import { workerApi } from "./migration-001-worker-api.ts";
import { imports } from "./migration-002-imports.ts";
import { apiToken } from "./migration-003-api-token.ts";
import { people } from "./migration-004-people.ts";
import { contents } from "./migration-005-content.ts";

/** In the order of their names. A released one is never changed: what comes later is a new one. */
export const managerMigrations: Record<string, Migration> = {
  "001-worker-api": workerApi,
  "002-imports": imports,
  "003-api-token": apiToken,
  "004-people": people,
  "005-content": contents,
};
