import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../kit/log.ts";

/** Temporary files of one farm process, browsers' profiles included: one folder, gone with it. */
const OWNER = "owner.pid";

/** `<dataDir>/tmp/<name>`, with a note of whose it is. */
export async function makeScratch(dataDir: string, name: string): Promise<string> {
  const folder = join(dataDir, "tmp", name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, OWNER), String(process.pid));
  return folder;
}

export async function removeScratch(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Removes what dead farms left. @param sole no other process can use this data folder: all but ours is dead */
export async function sweepScratch(dataDir: string, own: string, sole: boolean, log: Log): Promise<void> {
  const folder = join(dataDir, "tmp");
  for (const name of await readdir(folder).catch(() => [])) {
    if (name === own) continue;
    const path = join(folder, name);
    if (!sole && (await isAlive(join(path, OWNER)))) continue;
    await removeScratch(path).then(
      () => log.info(`removed the temporary files of a farm that died: ${path}`),
      (error: unknown) => log.warn(`the temporary files ${path} can't be removed: ${(error as Error).message}`),
    );
  }
}

async function isAlive(ownerFile: string): Promise<boolean> {
  const pid = Number(await readFile(ownerFile, "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
