import type { Kysely } from "kysely";
import type { Log } from "../kit/log.ts";
import { prune } from "./prune.ts";
import type { ManagerTables } from "./tables.ts";

const EVERY_MS = 60 * 60_000;

export interface Housekeeping {
  /** Waits for the statement that is being run. */
  stop(): Promise<void>;
}

/** Prunes at once and every hour. What fails is told, and tried again with the next round. */
export function startHousekeeping({ db, log, now }: { db: Kysely<ManagerTables>; log: Log; now: () => number }): Housekeeping {
  const stopping = new AbortController();
  const round = async (): Promise<void> => {
    try {
      const pruned = Object.entries(await prune(db, new Date(now()), stopping.signal)).filter(([, rows]) => rows > 0);
      if (pruned.length > 0) log.info(`Old rows are gone: ${pruned.map(([table, rows]) => `${rows} of ${table}`).join(", ")}`);
    } catch (error) {
      log.warn(`Old rows can't be deleted: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  let running = round();
  const timer = setInterval(() => void (running = running.then(round)), EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}
