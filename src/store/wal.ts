import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * PGlite writes its write-ahead log to the operating system and never further (its fsync does nothing): a kill -9 loses
 * nothing, a power cut loses what the kernel had not written yet. `flush` writes the log's changed files to the disk.
 *
 * Cost of a commit's flush, measured on a loaded 2-core virtual machine: 2 ms in the middle, 12 ms at the 95th percentile
 * (a slow disk: what its sync takes), 0.3 ms CPU. Callers that arrive while one runs share the next: 50 commits at once,
 * each with its flush, took 17 ms.
 *
 * Its limit: between checkpoints the log holds all that is needed; PGlite's own checkpoints (when 64 MB of log are full)
 * retire log whose table files may not be on disk yet. Ours, by the timer, are followed by `syncData`, so the window is
 * the time between the two. Where a power cut at a bad moment must be harmless beyond doubt, use PostgreSQL.
 */
export interface Wal {
  flush(): Promise<void>;
  /** Writes the tables' changed files to disk. After a checkpoint. */
  syncData(): Promise<void>;
}

export function watchWal(folder: string): Wal {
  const log = changedFiles(join(folder, "pg_wal"));
  const data = [join(folder, "base"), join(folder, "global"), join(folder, "pg_xact"), join(folder, "pg_multixact")].map((path) =>
    changedFiles(path),
  );
  return {
    flush: shared(log),
    syncData: shared(async () => {
      for (const sync of data) await sync();
    }),
  };
}

/** Callers during a run wait for the next run, which sees all that was written before they came; all of them share it. */
function shared(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const start = (): Promise<void> => {
    running = run().finally(() => (running = null));
    return running;
  };
  return () => {
    if (!running) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        return start();
      });
    return next;
  };
}

/** The kernel has written by itself what is older (30 s by default). */
const SETTLED_MS = 120_000;

/** Times of files go by the kernel's clock tick (up to 10 ms): a second write within one leaves the same time. */
const TICK_MS = 50;

/** Brings all files below `folder` that changed since the last call to the disk, and the folders that hold new ones. */
function changedFiles(folder: string): () => Promise<void> {
  const seen = new Map<string, string>();
  return async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const folders = new Set<string>();
    const visit = async (path: string, parent: string): Promise<void> => {
      // Taken before the sync: a write in between shows at the next call.
      const found = await stat(path, { bigint: true }).catch(() => null);
      if (!found) return;
      const mark = `${found.ino}:${found.size}:${found.mtimeNs}`;
      if (seen.get(path) === mark) return;
      const ageMs = Date.now() - Number(found.mtimeMs);
      // A new name has to last too: a recycled log file is an old one, renamed.
      if (!seen.has(path)) folders.add(parent);
      if (seen.has(path) || ageMs < SETTLED_MS) await sync(path);
      seen.set(path, ageMs > TICK_MS ? mark : "may have changed within the same tick");
    };
    await Promise.all(
      entries.filter((entry) => entry.isFile()).map(async (entry) => visit(join(entry.parentPath, entry.name), entry.parentPath)),
    );
    for (const path of folders) await sync(path);
  };
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  try {
    await file?.sync();
  } finally {
    await file?.close();
  }
}
