import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";

const time = sql`timestamptz`;

/** The farm's own accounts and tasks, and by what they share logins with other sources. */
export const localTasks: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("local_accounts")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("host", "text", (c) => c.notNull())
      .addColumn("login", "text", (c) => c.notNull())
      .addColumn("email", "text", (c) => c.notNull())
      .addColumn("username", "text", (c) => c.notNull())
      .addColumn("account_id", "text", (c) => c.notNull())
      .addColumn("serial", "text", (c) => c.notNull())
      .addColumn("sealed_secrets", "text", (c) => c.notNull())
      .addColumn("place", "integer", (c) => c.notNull().generatedAlwaysAsIdentity())
      .addColumn("created_at", time, (c) => c.notNull())
      .addColumn("updated_at", time, (c) => c.notNull())
      .execute();
    await db.schema
      .createIndex("local_accounts_login")
      .unique()
      .on("local_accounts")
      .expression(sql`host, lower(login)`)
      .execute();
    // Two of one id would be one account to the ledger.
    await db.schema
      .createIndex("local_accounts_account_id")
      .unique()
      .on("local_accounts")
      .columns(["host", "account_id"])
      .where(sql<boolean>`account_id <> ''`)
      .execute();
    await db.schema.createIndex("local_accounts_serial").on("local_accounts").column("serial").execute();
    await db.schema
      .createTable("local_tasks")
      .addColumn("id", "integer", (c) => c.primaryKey().generatedAlwaysAsIdentity())
      .addColumn("account", "text", (c) => c.notNull())
      .addColumn("serial", "text", (c) => c.notNull())
      .addColumn("username", "text", (c) => c.notNull())
      .addColumn("script_name", "text", (c) => c.notNull())
      .addColumn("script_config", "jsonb", (c) => c.notNull())
      .addColumn("source", "text", (c) => c.notNull())
      .addColumn("state", "text", (c) => c.notNull())
      .addColumn("attempt", "integer", (c) => c.notNull().defaultTo(1))
      .addColumn("start_time", "text")
      .addColumn("start_at", time)
      .addColumn("episodes", "jsonb", (c) => c.notNull())
      .addColumn("error", "text", (c) => c.notNull().defaultTo(""))
      .addColumn("result", "jsonb")
      .addColumn("created_at", time, (c) => c.notNull())
      .addColumn("started_at", time)
      .addColumn("finished_at", time)
      .execute();
    await db.schema.createIndex("local_tasks_state").on("local_tasks").columns(["state", "id"]).execute();
    await db.schema.createIndex("local_tasks_serial").on("local_tasks").columns(["serial", "id"]).execute();
    // What two sources know an account by may differ; what the site knows it by is the same.
    for (const table of ["tasks", "stopped_accounts"])
      await db.schema
        .alterTable(table)
        .addColumn("login_key", "text", (c) => c.notNull().defaultTo(""))
        .execute();
    await db.schema
      .createIndex("tasks_login")
      .on("tasks")
      .columns(["login_key", "state"])
      .where(sql<boolean>`login_key <> ''`)
      .execute();
  },
  async down(db: Kysely<unknown>) {
    await db.schema.dropIndex("tasks_login").execute();
    for (const table of ["tasks", "stopped_accounts"]) await db.schema.alterTable(table).dropColumn("login_key").execute();
    await db.schema.dropTable("local_tasks").execute();
    await db.schema.dropTable("local_accounts").execute();
  },
};
