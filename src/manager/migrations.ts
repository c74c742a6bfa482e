import type { Migration } from "kysely/migration";
import { workerApi } from "./migration-001-worker-api.ts";
import { apiToken } from "./migration-003-api-token.ts";

/** In the order of their names. A released one is never changed: what comes later is a new one. */
export const managerMigrations: Record<string, Migration> = {
  "001-worker-api": workerApi,
  "003-api-token": apiToken,
};
