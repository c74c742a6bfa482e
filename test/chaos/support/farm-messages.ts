import type { FarmStatus } from "../../../src/coordinator/status.ts";
import type { SitesMap } from "../../../src/coordinator/sites.ts";

/** What the process of a farm under test is told, and what it tells, over its IPC channel. */
export interface FarmOrder {
  dataDir: string;
  /** null: embedded. */
  databaseUrl: string | null;
  /** Vault key, Base64; null: of the data folder's own. */
  key: string | null;
  managerUrl: string;
  apiKey: string;
  workerId: string;
  sites: SitesMap;
  /** Settings by name, as in podcrew.config. */
  settings: Record<string, unknown>;
  /** One exchange with the manager; absent: the farm's own. */
  managerDeadlineMs?: number;
  /** Takes what others hold as well, once each: only the fences are left to decide. */
  robs?: boolean;
}

export type ToFarm = { kind: "go"; order: FarmOrder } | { kind: "status" } | { kind: "memory" } | { kind: "stop"; deadlineMs: number };

export interface MemoryUse {
  /** After a garbage collection, bytes. */
  heap: number;
  external: number;
  rss: number;
}

export type FromFarm =
  | { kind: "warm" }
  | { kind: "started" }
  | { kind: "status"; status: FarmStatus }
  | { kind: "memory"; use: MemoryUse }
  | { kind: "stopped" }
  | { kind: "failed"; why: string };
