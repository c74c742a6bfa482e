import type { Kysely, Transaction } from "kysely";

/** All that `look` reads is of one moment: a list's rows and its total agree. It must not write. */
export async function inOneView<Tables, T>(db: Kysely<Tables>, look: (trx: Transaction<Tables>) => Promise<T>): Promise<T> {
  return db.transaction().setIsolationLevel("repeatable read").setAccessMode("read only").execute(look);
}
