import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Younger files may be on their way to a site right now. */
const IN_USE_MS = 2 * 60 * 60_000;
/** Unfinished work is touched all the time while somebody is at it. */
const ABANDONED_MS = 60 * 60_000;

interface Kept {
  /** All names of one file: a placed copy is usually a second name of the kept one. */
  paths: string[];
  bytes: number;
  usedAtMs: number;
}

/**
 * Brings the cache below `maxBytes`: removes what was not used for the longest time, never what was used in the last two
 * hours, and always what a crash left unfinished.
 * @returns bytes freed
 */
export async function sweepCache(cacheDir: string, maxBytes: number, now = Date.now()): Promise<number> {
  const files = await listFiles(cacheDir);
  const temporary = join(cacheDir, "tmp");
  const abandoned = files.filter(({ paths: [path = ""], usedAtMs }) => path.startsWith(temporary) && now - usedAtMs > ABANDONED_MS);
  const kept = files.filter(({ paths: [path = ""] }) => !path.startsWith(temporary)).toSorted((a, b) => a.usedAtMs - b.usedAtMs);
  let total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  const old: Kept[] = [];
  for (const file of kept) {
    if (total <= maxBytes || now - file.usedAtMs < IN_USE_MS) break;
    old.push(file);
    total -= file.bytes;
  }
  const doomed = [...abandoned, ...old];
  for (const path of doomed.flatMap(({ paths }) => paths)) {
    await rm(path, { force: true });
    // Folders that hold one file each go with it; others are not empty and stay.
    await rmdir(dirname(path)).catch(() => undefined);
  }
  return doomed.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function listFiles(folder: string): Promise<Kept[]> {
  const names = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const byFile = new Map<string, Kept>();
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // Gone since it was listed: somebody else sweeps, or it was renamed.
    const facts = await stat(path).catch(() => null);
    if (!facts) continue;
    const id = `${facts.dev}:${facts.ino}`;
    const known = byFile.get(id);
    if (known) known.paths.push(path);
    else byFile.set(id, { paths: [path], bytes: facts.size, usedAtMs: facts.mtimeMs });
  }
  return [...byFile.values()];
}
