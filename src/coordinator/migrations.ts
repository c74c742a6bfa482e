import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { localTasks } from "./local/migration-0006.ts";

const time = sql`timestamptz`;

/** Schema `farm`. */
export const migrations: Record<string, Migration> = {
  "0001-ledger": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("tasks")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("source", "text", (c) => c.notNull())
        .addColumn("account_key", "text", (c) => c.notNull())
        .addColumn("site", "text", (c) => c.notNull())
        .addColumn("host", "text", (c) => c.notNull())
        .addColumn("account_name", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("priority", "integer", (c) => c.notNull())
        .addColumn("episode_ids", "jsonb", (c) => c.notNull())
        .addColumn("data", "jsonb", (c) => c.notNull())
        .addColumn("sealed_credentials", "text", (c) => c.notNull())
        .addColumn("link_rss", "text")
        .addColumn("worker_deaths", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("tries", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("failure", "jsonb")
        .addColumn("waits_for", "text", (c) => c.notNull().defaultTo(""))
        .addColumn("not_before", time)
        .addColumn("renewed_at", time)
        .addColumn("created_at", time, (c) => c.notNull())
        .addColumn("updated_at", time, (c) => c.notNull())
        .execute();
      await db.schema.createIndex("tasks_state").on("tasks").columns(["source", "state"]).execute();
      await db.schema
        .createTable("episodes")
        .addColumn("account_key", "text", (c) => c.notNull())
        .addColumn("episode_id", "text", (c) => c.notNull())
        .addColumn("task_id", "text", (c) => c.notNull())
        .addColumn("title", "text", (c) => c.notNull())
        .addColumn("marker", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("fence", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("holder", "text")
        .addColumn("lease_until", time)
        .addColumn("armed_at", time)
        .addColumn("settle_ms", "integer")
        .addColumn("due", time)
        .addColumn("baseline", "jsonb")
        .addColumn("draft_id", "text")
        .addColumn("link", "text")
        .addColumn("site_id", "text")
        .addColumn("attempts", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("failure", "jsonb")
        .addColumn("fixes", "jsonb")
        .addColumn("prepared", "jsonb")
        .addColumn("updated_at", time, (c) => c.notNull())
        .addPrimaryKeyConstraint("episodes_pk", ["account_key", "episode_id"])
        .execute();
      await db.schema.createIndex("episodes_state").on("episodes").columns(["state", "lease_until"]).execute();
      await db.schema
        .createTable("outbox")
        .addColumn("seq", "integer", (c) => c.primaryKey().generatedAlwaysAsIdentity())
        .addColumn("task_id", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("report", "jsonb", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull().defaultTo("pending"))
        .addColumn("attempts", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("due", time, (c) => c.notNull())
        .addColumn("why", "text", (c) => c.notNull().defaultTo(""))
        .addColumn("created_at", time, (c) => c.notNull())
        .addColumn("settled_at", time)
        .execute();
      await db.schema.createIndex("outbox_pending").on("outbox").columns(["state", "task_id", "seq"]).execute();
      await db.schema
        .createTable("sessions")
        .addColumn("account_key", "text", (c) => c.primaryKey())
        .addColumn("sealed_state", "text", (c) => c.notNull())
        .addColumn("sealed_cookie", "text", (c) => c.notNull())
        .addColumn("saved_at", time, (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("totp_steps")
        .addColumn("seed_hash", "text", (c) => c.notNull())
        .addColumn("step", "integer", (c) => c.notNull())
        .addColumn("taken_at", time, (c) => c.notNull())
        .addPrimaryKeyConstraint("totp_steps_pk", ["seed_hash", "step"])
        .execute();
      await db.schema
        .createTable("mailed_codes")
        .addColumn("code_hash", "text", (c) => c.primaryKey())
        .addColumn("taken_at", time, (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("credential_submits")
        .addColumn("id", "integer", (c) => c.primaryKey().generatedAlwaysAsIdentity())
        .addColumn("account_key", "text", (c) => c.notNull())
        .addColumn("site", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("at", time, (c) => c.notNull())
        .addColumn("verdict", "text")
        .execute();
      await db.schema.createIndex("credential_submits_account").on("credential_submits").columns(["account_key", "at"]).execute();
      await db.schema
        .createTable("site_slots")
        .addColumn("site", "text", (c) => c.notNull())
        .addColumn("slot", "integer", (c) => c.notNull())
        .addColumn("holder", "text")
        .addColumn("task_id", "text")
        .addColumn("lease_until", time)
        .addPrimaryKeyConstraint("site_slots_pk", ["site", "slot"])
        .execute();
    },
    async down(db: Kysely<unknown>) {
      for (const table of ["site_slots", "credential_submits", "mailed_codes", "totp_steps", "sessions", "outbox", "episodes", "tasks"])
        await db.schema.dropTable(table).execute();
    },
  },
  "0002-after-look": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("episodes").addColumn("copies", "integer").execute();
      await db.schema
        .createTable("stopped_accounts")
        .addColumn("account_key", "text", (c) => c.primaryKey())
        .addColumn("task_id", "text", (c) => c.notNull())
        .addColumn("failure", "jsonb", (c) => c.notNull())
        .addColumn("at", time, (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("fleet")
        .addColumn("one", "boolean", (c) => c.primaryKey().check(sql`one`))
        .addColumn("name", "text", (c) => c.notNull())
        .execute();
      // A task has one end: a second word on it while the first is under way is refused by the database itself.
      await db.schema
        .createIndex("outbox_one_end")
        .unique()
        .on("outbox")
        .column("task_id")
        .where(sql<boolean>`state = 'pending' and kind in ('complete', 'fail')`)
        .execute();
    },
    async down(db: Kysely<unknown>) {
      await db.schema.dropTable("fleet").execute();
      await db.schema.dropIndex("outbox_one_end").execute();
      await db.schema.dropTable("stopped_accounts").execute();
      await db.schema.alterTable("episodes").dropColumn("copies").execute();
    },
  },
  "0003-signing-in": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("refused_mailboxes")
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("site", "text", (c) => c.notNull())
        .addColumn("at", time, (c) => c.notNull())
        .addPrimaryKeyConstraint("refused_mailboxes_pk", ["version", "site"])
        .execute();
      for (const column of ["signed_in_at", "checked_at", "expires_at"])
        await db.schema.alterTable("sessions").addColumn(column, time).execute();
      await db.schema
        .alterTable("sessions")
        .addColumn("ended", "boolean", (c) => c.notNull().defaultTo(false))
        .execute();
      await db.schema.alterTable("sessions").addColumn("sealed_page", "text").execute();
    },
    async down(db: Kysely<unknown>) {
      for (const column of ["sealed_page", "ended", "expires_at", "checked_at", "signed_in_at"])
        await db.schema.alterTable("sessions").dropColumn(column).execute();
      await db.schema.dropTable("refused_mailboxes").execute();
    },
  },
  "0004-one-budget-a-login": {
    async up(db: Kysely<unknown>) {
      // There already where 0003 was run in the form that it had for a time.
      await db.schema
        .alterTable("credential_submits")
        .addColumn("made_by", "text", (c) => c.ifNotExists())
        .execute();
    },
    async down(db: Kysely<unknown>) {
      await db.schema.alterTable("credential_submits").dropColumn("made_by").execute();
    },
  },
  "0005-checks": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createIndex("tasks_checks")
        .on("tasks")
        .columns(["source", "state", "account_key"])
        .where(sql<boolean>`id like 'check:%'`)
        .execute();
      await db.schema
        .alterTable("credential_submits")
        .addColumn("by_check", "boolean", (column) => column.notNull().defaultTo(false))
        .execute();
      await db.schema
        .createIndex("credential_submits_site")
        .on("credential_submits")
        .columns(["site", "at"])
        .where(sql<boolean>`verdict is null or verdict = 'refused'`)
        .execute();
    },
    async down(db: Kysely<unknown>) {
      await db.schema.dropIndex("credential_submits_site").execute();
      await db.schema.alterTable("credential_submits").dropColumn("by_check").execute();
      await db.schema.dropIndex("tasks_checks").execute();
    },
  },
  "0006-local-tasks": localTasks,
};
