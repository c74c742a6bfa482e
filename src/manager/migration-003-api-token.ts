import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Accounts on sites that are posted to by an API of their own. */
export const apiToken: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable("accounts")
      .addColumn("api_token", "text", (column) => column.notNull().defaultTo(""))
      .execute();
  },
  async down(db: Kysely<unknown>) {
    await db.schema.alterTable("accounts").dropColumn("api_token").execute();
  },
};
