import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { UsageError } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";

const RETRY_MS = 100;

/**
 * Kernel lock on a file beside the database folder: two openers of one PGlite folder would lose each other's rows without a
 * word. SQLite is only the portable way to that lock; any death of the holder frees it, kill -9 too.
 * @param waitMs a predecessor that is shutting down gets this long
 * @returns the release
 * @throws UsageError when another process holds it all that time
 */
export async function takeOwnerLock(path: string, waitMs: number, log: Log): Promise<() => void> {
  const deadline = performance.now() + waitMs;
  for (let told = false; ;) {
    const release = tryLock(path);
    if (release) return release;
    if (performance.now() >= deadline)
      throw new UsageError(
        `The data folder ${dirname(path)} is in use by another podcrew process. Stop that one, choose another folder (PODCREW_DATA=./other), or use PostgreSQL for several processes (DATABASE_URL).`,
      );
    if (!told)
      log.info(`the data folder is in use by another process; waiting up to ${Math.ceil(waitMs / 1000)} s for it to end`, {
        folder: dirname(path),
      });
    told = true;
    await delay(RETRY_MS);
  }
}

function tryLock(path: string): (() => void) | null {
  const lock = new DatabaseSync(path);
  try {
    lock.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA busy_timeout=0; BEGIN EXCLUSIVE");
    return () => lock.close();
  } catch (error) {
    lock.close();
    // 5 SQLITE_BUSY, 6 SQLITE_LOCKED; anything else is not "somebody holds it".
    const code = (error as { errcode?: number }).errcode;
    if (code !== undefined && [5, 6].includes(code & 0xff)) return null;
    throw error;
  }
}
