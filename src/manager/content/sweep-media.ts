import { readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { isUuid } from "../../kit/uuid.ts";
import type { ManagerTables } from "../tables.ts";
import { makeFolder } from "./durable-folder.ts";
import { PART } from "./media-store.ts";

type Db = Kysely<ManagerTables>;

const DAY_MS = 24 * 60 * 60_000;
export const TRASH_DAYS = 30;
export const TRASH = "trash";
const NAMES_AT_ONCE = 1000;

/** Where the files of this database are: a folder of its own, for other databases may keep theirs beside it. @param root of all */
export async function folderOf(db: Db, root: string): Promise<string> {
  const { id } = await db.selectFrom("media_store").select("id").executeTakeFirstOrThrow();
  return join(root, id);
}

export interface Swept {
  /** Files that no row names, moved to the trash. */
  trashed: number;
  /** Files from the trash that a row names again. */
  restored: number;
}

/**
 * Takes away what no row names, older than a day (by the machine's clock, which wrote the files' times), for a younger one may be on
 * its way in. What was cut off is removed; a whole file stays in the trash for 30 days, for the database may have been restored
 * from an older backup, and be replaced by a newer one: then the file comes back.
 */
export async function sweepMedia(db: Db, folder: string): Promise<Swept> {
  const trash = join(folder, TRASH);
  const swept: Swept = { trashed: 0, restored: 0 };
  for await (const { name, isKnown } of filesIn(db, trash)) {
    const path = join(trash, name);
    if (isKnown) swept.restored += await done(async () => rename(path, join(folder, name)));
    else if (await isOlder(path, TRASH_DAYS * DAY_MS)) await rm(path, { force: true });
  }
  for await (const { name, isKnown } of filesIn(db, folder)) {
    const path = join(folder, name);
    if (isKnown || !(await isOlder(path, DAY_MS))) continue;
    if (name.endsWith(PART)) await rm(path, { force: true });
    else swept.trashed += await done(async () => throwAway(path, trash, name));
  }
  return swept;
}

/** Its days in the trash begin before it is there: an end in between must not make it look old enough to be removed. */
async function throwAway(path: string, trash: string, name: string): Promise<void> {
  const now = new Date();
  await makeFolder(trash);
  await utimes(path, now, now);
  await rename(path, join(trash, name));
}

async function* filesIn(db: Db, folder: string): AsyncGenerator<{ name: string; isKnown: boolean }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  for (let from = 0; from < names.length; from += NAMES_AT_ONCE) {
    const some = names.slice(from, from + NAMES_AT_ONCE);
    const known = await knownOf(db, some.filter(isUuid));
    for (const name of some) yield { name, isKnown: known.has(name) };
  }
}

async function knownOf(db: Db, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  return new Set((await db.selectFrom("media").select("id").where("id", "in", ids).execute()).map(({ id }) => id));
}

async function isOlder(path: string, ageMs: number): Promise<boolean> {
  const found = await stat(path).catch(unlessGone);
  return found ? Date.now() - found.mtimeMs > ageMs : false;
}

/** Another manager that shares the folder may have been faster. @returns 1 when it was done here */
async function done(work: () => Promise<void>): Promise<number> {
  return (await work().then(() => true, unlessGone)) ? 1 : 0;
}

function unlessGone(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}
