import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Secondary tasks: each names its feed from its first hand-out on, and farms say of which sites they can import. */
export const imports: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable("links")
      .addColumn("link_rss", "text", (column) => column.notNull().defaultTo(""))
      .execute();
    await db.schema
      .alterTable("announced_sites")
      .addColumn("kind", "text", (column) =>
        column
          .notNull()
          .defaultTo("primary")
          .check(sql`kind in ('primary', 'secondary')`),
      )
      .execute();
    await db.schema.alterTable("announced_sites").dropConstraint("announced_sites_key").execute();
    await db.schema.alterTable("announced_sites").addPrimaryKeyConstraint("announced_sites_key", ["holder", "kind", "site"]).execute();
  },
  async down(db: Kysely<unknown>) {
    await sql`delete from manager.announced_sites where kind = 'secondary'`.execute(db);
    await db.schema.alterTable("announced_sites").dropConstraint("announced_sites_key").execute();
    await db.schema.alterTable("announced_sites").dropColumn("kind").execute();
    await db.schema.alterTable("announced_sites").addPrimaryKeyConstraint("announced_sites_key", ["holder", "site"]).execute();
    await db.schema.alterTable("links").dropColumn("link_rss").execute();
  },
};
