import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { UsageError } from "../kit/config.ts";
import type { Store } from "./store.ts";
import type { Vault } from "./vault.ts";

interface Tables {
  /** A row for each key that ever sealed something in this database. */
  keys: { id: string; canary: string };
}

const migrations: Record<string, Migration> = {
  "001-keys": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("keys")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("canary", "text", (c) => c.notNull())
        .execute();
    },
    down: async (db: Kysely<unknown>) => {
      await db.schema.dropTable("keys").execute();
    },
  },
};

/** Not a secret, but sealed like one: a key that opens it is the right one. */
const CANARY = "the canary sings";
const aadOf = (id: string): string => `vault.keys:${id}:canary`;

/**
 * Call once after opening both, before anything is sealed: a database that holds values sealed with a key which is not in
 * the vault must not be started on, or its accounts would seem to have lost their passwords one by one.
 * @throws UsageError naming the missing key's id
 */
export async function checkVault(store: Store, vault: Vault): Promise<void> {
  await store.migrate("vault", migrations);
  const db = store.part<Tables>("vault");
  for (const { id, canary } of await db.selectFrom("keys").selectAll().orderBy("id").execute()) {
    if (!vault.keyIds.includes(id)) {
      throw new UsageError(
        `The database holds secrets sealed with the vault key ${id}, and only ${vault.keyIds.join(", ")} was given. Give that key back (PODCREW_KEY, PODCREW_KEY_FILE or vault.key in the data folder); to change keys, put the new one on the first line of the key file and keep the old one below.`,
      );
    }
    vault.open(canary, aadOf(id));
  }
  await db
    .insertInto("keys")
    .values({ id: vault.keyId, canary: vault.seal(CANARY, aadOf(vault.keyId)) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
