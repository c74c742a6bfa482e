import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Kysely } from "kysely";
import { z } from "zod";
import { UsageError } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import { pinSecrets } from "../kit/redact.ts";
import { makeFolder, syncFolder } from "./content/durable-folder.ts";
import { isKey, newKey, type Keys } from "./keys.ts";
import type { Users } from "./people/users.ts";
import type { ManagerTables } from "./tables.ts";

const NAME = "first farm";
export const FIRST_OWNER = "owner@podcrew.example";
const PASSWORD_BYTES = 15;

/** What is not as the manager writes it is as if it weren't there. */
const written = z.looseObject({
  url: z.string().optional().catch(undefined),
  apiKey: z.string().refine(isKey).optional().catch(undefined),
  email: z.literal(FIRST_OWNER).optional().catch(undefined),
  password: z.string().min(10).optional().catch(undefined),
});

/**
 * A manager without an API key and without anybody who may sign in is of use to nobody: at its first start it makes a key for a
 * farm and an owner, and writes both to `<dataDir>/manager.json`, which only its owner may read. They are in the file before they
 * open anything: a start that was cut off in between is gone on with by the next one, with the same key and password. Later starts
 * leave both alone, also when the file was taken away, the key revoked or the password changed; where the file is still there, they
 * put the manager's address into it.
 * @throws UsageError when the folder can't be written
 */
export async function writeFirstCredentials(options: {
  db: Kysely<ManagerTables>;
  keys: Keys;
  users: Users;
  dataDir: string;
  url: string;
  log: Log;
}): Promise<void> {
  const { db, keys, users, dataDir, url, log } = options;
  const path = join(dataDir, "manager.json");
  const before = await readWritten(path);
  const hasKey = await db.selectFrom("api_keys").select("id").where("name", "=", NAME).limit(1).executeTakeFirst();
  const hasUser = await db.selectFrom("users").select("id").limit(1).executeTakeFirst();
  const key = hasKey ? null : (before.apiKey ?? newKey());
  const password = hasUser ? null : ((before.email && before.password) ?? randomBytes(PASSWORD_BYTES).toString("base64url"));
  pinSecrets(password, key);
  const isFirst = key !== null || password !== null;
  if (!isFirst && before.url === undefined) return;
  const after = { ...before, url, ...(key && { apiKey: key }), ...(password && { email: FIRST_OWNER, password }) };
  try {
    if (!isDeepStrictEqual(before, after)) await keep(dataDir, path, `${JSON.stringify(after, null, 2)}\n`);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code;
    if (!isFirst) return log.warn(`The manager's address ${url} can't be written to ${path} (${why}); MANAGER_URL says it to commands.`);
    throw new UsageError(
      `The manager's first credentials can't be written to ${path} (${why}). Make the folder writable, or choose another one: PODCREW_DATA=./other`,
      { cause },
    );
  }
  if (!isFirst) return;
  const made = key ? await keys.create({ name: NAME, key }) : null;
  const isOwner = password !== null && (await makeOwner(users, password));
  // Another manager of this database has made its owner in the meantime: what stands in our file opens nothing.
  if (password !== null && !isOwner) {
    const { email: _email, password: _password, ...rest } = after;
    await keep(dataDir, path, `${JSON.stringify(rest, null, 2)}\n`);
  }
  const both = [made && `API key ${made.prefix}…`, isOwner && `owner ${FIRST_OWNER}`].filter(Boolean).join(" and ");
  if (both) log.info(`The manager's first ${both}: see ${path}`);
}

/** @returns false when somebody may sign in by now */
async function makeOwner(users: Users, password: string): Promise<boolean> {
  try {
    await users.create({ email: FIRST_OWNER, password, role: "owner" });
    return true;
  } catch (error) {
    if (await users.find(FIRST_OWNER)) return false;
    throw error;
  }
}

async function readWritten(path: string): Promise<z.output<typeof written>> {
  try {
    return written.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return {};
  }
}

/** On the disk, whole, when this returns; nobody else can read it on the way. */
async function keep(folder: string, path: string, text: string): Promise<void> {
  await makeFolder(folder);
  const aside = `${path}.new`;
  await rm(aside, { force: true });
  const file = await open(aside, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  await syncFolder(folder);
}
