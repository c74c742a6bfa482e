import { existsSync } from "node:fs";
import { mkdir, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Kysely } from "kysely";
import { UsageError } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import type { Backend } from "./backend.ts";
import { embeddedDialect } from "./embedded-dialect.ts";
import { takeOwnerLock } from "./owner-lock.ts";
import { pgliteParsers } from "./row-types.ts";
import { watchWal } from "./wal.ts";

const LOCK_WAIT_MS = 10_000;
const CHECKPOINT_MS = 60_000;
/** An empty database takes 40 MB, its log up to 64 MB. */
const LEAST_FREE_BYTES = 128 * 1024 * 1024;

/** Read at every open. Without a bound the log grows to a gigabyte. */
const SERVER_SETTINGS = "max_wal_size = '64MB'\nmin_wal_size = '32MB'\n";

interface EmbeddedOptions {
  dataDir: string;
  log: Log;
  lockWaitMs?: number;
}

/** PGlite in `<dataDir>/db`. @throws UsageError when the folder is in use or can't be written */
export async function openEmbedded({ dataDir, log, lockWaitMs = LOCK_WAIT_MS }: EmbeddedOptions): Promise<Backend> {
  const folder = join(dataDir, "db");
  const unlock = await orUnusable(dataDir, async () => {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return takeOwnerLock(join(dataDir, "db.lock"), lockWaitMs, log);
  });
  try {
    const pglite = await orUnusable(dataDir, async () => {
      if (!existsSync(folder)) await createDatabase(folder, log);
      await writeFile(join(folder, "postgresql.auto.conf"), SERVER_SETTINGS);
      return PGlite.create(folder, { parsers: pgliteParsers });
    });
    return backendOn(pglite, folder, unlock, log);
  } catch (error) {
    unlock();
    throw error;
  }
}

function backendOn(pglite: PGlite, folder: string, unlock: () => void, log: Log): Backend {
  const db = new Kysely<unknown>({ dialect: embeddedDialect(pglite) });
  const wal = watchWal(folder);
  const raw: Backend["raw"] = async (text, values = []) =>
    db.connection().execute(async () => {
      try {
        if (values.length > 0) return await pglite.query(text, values);
        return { rows: (await pglite.exec(text)).flatMap((result) => result.rows as unknown[]) };
      } catch (error) {
        // A pool would throw the connection away; here a transaction that the text began must not stay open for others.
        await pglite.exec("rollback");
        throw error;
      }
    });
  const checkpoints = startCheckpoints(raw, async () => wal.syncData(), log);
  return {
    name: "pglite",
    db,
    raw,
    flush: async () => wal.flush(),
    async close() {
      await checkpoints.stop();
      try {
        await raw("checkpoint");
        await wal.syncData();
        await wal.flush();
      } finally {
        await db.destroy().finally(unlock);
      }
    },
  };
}

/** PGlite has no background checkpointer: without ours the log is only retired when it is full. */
function startCheckpoints(raw: Backend["raw"], syncData: () => Promise<void>, log: Log): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  let before = "";
  const checkpoint = async (): Promise<void> => {
    const [row] = (await raw("select pg_current_wal_insert_lsn()::text as position")).rows as { position: string }[];
    if (row?.position === before) return;
    await raw("checkpoint");
    await syncData();
    const [after] = (await raw("select pg_current_wal_insert_lsn()::text as position")).rows as { position: string }[];
    before = after?.position ?? "";
  };
  const timer = setInterval(() => {
    running = running.then(checkpoint).catch((error: Error) => log.warn("the database's checkpoint failed", { error: error.message }));
  }, CHECKPOINT_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

/**
 * Made in memory and written out in one go, which takes half the time of making it on disk; under another name first, so
 * that an end in the middle leaves no half database.
 */
async function createDatabase(folder: string, log: Log): Promise<void> {
  const { bavail, bsize } = await statfs(join(folder, ".."));
  if (bavail * bsize < LEAST_FREE_BYTES) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
  const startedAt = performance.now();
  const aside = `${folder}.new`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { mode: 0o700 });
  const memory = await PGlite.create();
  const loadDataDir = await memory.dumpDataDir("none");
  await memory.close();
  const disk = await PGlite.create(aside, { loadDataDir });
  await disk.close();
  const made = watchWal(aside);
  await Promise.all([made.syncData(), made.flush()]);
  await rename(aside, folder);
  log.debug("made an empty database", { folder, ms: Math.round(performance.now() - startedAt) });
}

const unusable: Record<string, string> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "it is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "it is not a folder",
  EEXIST: "it is not a folder",
  ENOENT: "it can't be made",
};

async function orUnusable<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `The data folder ${dataDir} can't be used: ${unusable[code] ?? message}. Mend that, or choose another folder: PODCREW_DATA=./other`,
      { cause: error },
    );
  }
}
