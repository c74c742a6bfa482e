import { statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { failures } from "../contract/failures.ts";
import type { Clock } from "../kit/clock.ts";
import type { DiskProbe } from "./ports.ts";

/** Below this the ledger itself could run out of room in the middle of a post. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;
const FRESH_MS = 5000;

/** Tries a real write, at most every few seconds. @param folder of this process, below the data folder */
export function createDiskProbe(folder: string, clock: Clock): DiskProbe {
  let checkedAt = Number.NEGATIVE_INFINITY;
  let problem: string | null = null;
  return async () => {
    if (clock.monotonic() - checkedAt < FRESH_MS) return problem;
    problem = await probe(folder);
    checkedAt = clock.monotonic();
    return problem;
  };
}

async function probe(folder: string): Promise<string | null> {
  try {
    await writeFile(join(folder, "probe"), Buffer.alloc(4096), { flush: true });
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize < MIN_FREE_BYTES
      ? `only ${Math.floor((bavail * bsize) / 1024 / 1024)} MB are left on the data folder's disk. ${failures["farm.disk"].say}`
      : null;
  } catch (error) {
    return `${folder} can't be written (${(error as NodeJS.ErrnoException).code}). ${failures["farm.disk"].say}`;
  }
}
