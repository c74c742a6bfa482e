import type { Transaction } from "kysely";
import type { ManagerTables } from "../tables.ts";

/** A search engine has the page of a completed link, and so knows its account. */
export async function noteIndexed(trx: Transaction<ManagerTables>, linkId: string, now: Date): Promise<void> {
  const link = await trx
    .updateTable("links")
    .set({ is_indexed: true })
    .where("id", "=", linkId)
    .where("state", "=", "completed")
    .returning("account_id")
    .executeTakeFirst();
  if (!link) return;
  await trx
    .updateTable("accounts")
    .set({ is_indexed: true, updated_at: now })
    .where("id", "=", link.account_id)
    .where("is_indexed", "=", false)
    .execute();
}
