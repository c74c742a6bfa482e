import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { UsageError } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import type { Keys } from "./keys.ts";
import type { ManagerTables } from "./tables.ts";

const NAME = "first farm";

/**
 * A manager without any API key is of use to nobody: at its first start it makes one for a farm and writes it to
 * `<dataDir>/manager.json`, which only its owner may read. Later starts leave file and keys alone, also when the file was
 * taken away or the key revoked.
 * @throws UsageError when the folder can't be written
 */
export async function writeFirstKey(options: {
  db: Kysely<ManagerTables>;
  keys: Keys;
  dataDir: string;
  url: string;
  log: Log;
}): Promise<void> {
  const { db, keys, dataDir, url, log } = options;
  const made = await db.selectFrom("api_keys").select("id").where("name", "=", NAME).limit(1).executeTakeFirst();
  if (made) return;
  const path = join(dataDir, "manager.json");
  const first = await keys.create({ name: NAME });
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, `${JSON.stringify({ url, apiKey: first.key }, null, 2)}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (cause) {
    // Nobody would ever learn this key.
    await db.deleteFrom("api_keys").where("id", "=", first.id).execute();
    throw new UsageError(
      `The manager's first API key can't be written to ${path} (${(cause as NodeJS.ErrnoException).code}). Make the folder writable, or choose another one: PODCREW_DATA=./other`,
      { cause },
    );
  }
  log.info(`The manager's first API key ${first.prefix}… is in ${path}`);
}
