import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pinSecrets } from "../kit/redact.ts";
import type { StudioContext } from "./context.ts";
import { hashToken, newToken } from "./ids.ts";

/** At the first start: a key for the studio's API, in `<dataDir>/studio.json` (0600); the database keeps its hash only. */
export async function ensureAdminKey({ db, clock, config, log }: StudioContext): Promise<void> {
  if (await db.selectFrom("admin_keys").select("id").limit(1).executeTakeFirst()) return;
  const key = `pcs_${newToken()}`;
  pinSecrets(key);
  const path = join(config.dataDir, "studio.json");
  // The file comes first: a key that nobody can read would lock everybody out.
  await writeFile(path, `${JSON.stringify({ adminKey: key }, null, 2)}\n`, { mode: 0o600, flush: true });
  await db
    .insertInto("admin_keys")
    .values({ prefix: key.slice(0, 10), key_hash: hashToken(key), created_at: new Date(clock.now()) })
    .execute();
  log.info(`the studio's first admin key is in ${path}`);
}
