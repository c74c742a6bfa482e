import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { taskStates } from "../contract/states.ts";

const stateList = sql.raw(taskStates.map((state) => `'${state}'`).join(", "));

async function createPeople(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("users")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("email", "text", (column) => column.notNull())
    .addColumn("password_hash", "text")
    .addColumn("role", "text", (column) => column.notNull().check(sql`role in ('owner', 'user')`))
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("users_email")
    .on("users")
    .expression(sql`lower(email)`)
    .unique()
    .execute();
  await db.schema
    .createTable("api_keys")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("user_id", "uuid", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("prefix", "text", (column) => column.notNull().unique())
    .addColumn("hash", "text", (column) => column.notNull().unique())
    .addColumn("scopes", "jsonb", (column) => column.notNull())
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("revoked_at", "timestamptz")
    .addColumn("last_used_at", "timestamptz")
    .execute();
}

async function createAccounts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("groups")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("user_id", "uuid", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("service_type", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("updated_at", "timestamptz", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("accounts")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("group_id", "uuid", (column) => column.notNull().references("groups.id").onDelete("cascade"))
    .addColumn("site", "text", (column) => column.notNull())
    .addColumn("login", "text", (column) => column.notNull())
    .addColumn("username", "text", (column) => column.notNull())
    .addColumn("email", "text", (column) => column.notNull())
    .addColumn("password", "text", (column) => column.notNull())
    .addColumn("pass_mail", "text", (column) => column.notNull())
    .addColumn("twofa", "text", (column) => column.notNull())
    .addColumn("app_password", "text", (column) => column.notNull())
    .addColumn("cookie", "text", (column) => column.notNull())
    .addColumn("link_rss", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("note", "text", (column) => column.notNull())
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("updated_at", "timestamptz", (column) => column.notNull())
    .addUniqueConstraint("accounts_identity", ["group_id", "site", "login"])
    .execute();
}

async function createWork(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("requests")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("user_id", "uuid", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("group_id", "uuid", (column) => column.references("groups.id").onDelete("set null"))
    .addColumn("service_type", "text", (column) => column.notNull())
    .addColumn("type_request", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("website", "text", (column) => column.notNull())
    .addColumn("auction_price", "integer", (column) => column.notNull().check(sql`auction_price >= 0`))
    .addColumn("target", "integer", (column) => column.notNull().check(sql`target > 0`))
    .addColumn("priority", "integer", (column) => column.notNull())
    .addColumn("config", "jsonb", (column) => column.notNull())
    .addColumn("data", "jsonb", (column) => column.notNull())
    .addColumn("folder_urls", "jsonb", (column) => column.notNull())
    .addColumn("status", "text", (column) =>
      column.notNull().check(sql`status in ('pending', 'running', 'completed', 'stopped', 'failed')`),
    )
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("updated_at", "timestamptz", (column) => column.notNull())
    .addColumn("started_at", "timestamptz")
    .addColumn("completed_at", "timestamptz")
    .execute();
  await db.schema
    .createTable("links")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("request_id", "uuid", (column) => column.notNull().references("requests.id").onDelete("cascade"))
    .addColumn("account_id", "uuid", (column) => column.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("kind", "text", (column) => column.notNull().check(sql`kind in ('primary', 'secondary')`))
    .addColumn("site", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull().check(sql`state in (${stateList})`))
    .addColumn("holder", "text")
    .addColumn("server_id", "uuid")
    .addColumn("server_name", "text")
    .addColumn("started_by", "jsonb", (column) => column.notNull())
    .addColumn("lease_until", "timestamptz")
    .addColumn("priority", "integer", (column) => column.notNull())
    .addColumn("episodes", "jsonb", (column) => column.notNull())
    .addColumn("link_post", "text", (column) => column.notNull())
    .addColumn("note", "text", (column) => column.notNull())
    .addColumn("error_message", "text", (column) => column.notNull())
    .addColumn("failure_code", "text")
    .addColumn("retry_count", "integer", (column) => column.notNull())
    .addColumn("max_retries", "integer", (column) => column.notNull())
    .addColumn("next_at", "timestamptz")
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("updated_at", "timestamptz", (column) => column.notNull())
    .addColumn("started_at", "timestamptz")
    .addColumn("completed_at", "timestamptz")
    .addUniqueConstraint("links_once_per_account", ["request_id", "account_id", "kind"])
    .execute();
  await db.schema
    .createIndex("links_open")
    .on("links")
    .columns(["priority desc", "created_at", "id"])
    .where(sql.ref("state"), "in", ["waiting", "claimed", "running"])
    .execute();
  await db.schema.createIndex("links_account").on("links").column("account_id").execute();
}

async function createRecords(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("announced_sites")
    .addColumn("holder", "text", (column) => column.notNull())
    .addColumn("site", "text", (column) => column.notNull())
    .addColumn("seen_at", "timestamptz", (column) => column.notNull())
    .addPrimaryKeyConstraint("announced_sites_key", ["holder", "site"])
    .execute();
  await db.schema
    .createTable("history")
    .addColumn("id", "bigint", (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn("at", "timestamptz", (column) => column.notNull())
    .addColumn("key_id", "uuid", (column) => column.notNull())
    .addColumn("worker", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("task_id", "uuid")
    .addColumn("status", "integer", (column) => column.notNull())
    .addColumn("code", "text", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("history_task").on("history").columns(["task_id", "id"]).execute();
  await sql`create function manager.history_is_append_only() returns trigger language plpgsql as 'begin raise exception ''the history is append-only''; end'`.execute(
    db,
  );
  await sql`create trigger history_is_append_only before update or delete or truncate on manager.history for each statement execute function manager.history_is_append_only()`.execute(
    db,
  );
}

export const workerApi: Migration = {
  async up(db) {
    await createPeople(db);
    await createAccounts(db);
    await createWork(db);
    await createRecords(db);
  },
  async down(db) {
    for (const table of ["history", "announced_sites", "links", "requests", "accounts", "groups", "api_keys", "users"])
      await db.schema.dropTable(table).execute();
    await sql`drop function manager.history_is_append_only()`.execute(db);
  },
};
