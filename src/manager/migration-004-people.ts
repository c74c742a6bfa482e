import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { addLines, dropLines } from "./migration-004-lines.ts";
import { createLists, dropLists } from "./migration-004-lists.ts";

/** People and what they own: roles, sign-ins, credits, an audit log; and what the Backlink API keeps of accounts, requests and links. */
export const people: Migration = {
  async up(db: Kysely<unknown>) {
    await createPeople(db);
    await createCredits(db);
    await createChecks(db);
    await widenWork(db);
    await countLinks(db);
    await createIndexes(db);
    await createLists(db);
    await addLines(db);
  },
  async down(db: Kysely<unknown>) {
    await dropLines(db);
    await dropLists(db);
    await db.schema.dropIndex("links_open_units").execute();
    for (const [name] of linkCounters) {
      await sql`drop trigger ${sql.ref(`links_${name}`)} on manager.links`.execute(db);
      await sql`drop function ${sql.ref(`manager.${name}`)}()`.execute(db);
    }
    for (const column of ["units_done", "units"]) await db.schema.alterTable("links").dropColumn(column).execute();
    for (const column of ["created_links", "done_units", "spent_credits"])
      await db.schema.alterTable("requests").dropColumn(column).execute();
    for (const column of ["posted", "about", "link_profile", "is_indexed"])
      await db.schema.alterTable("links").dropColumn(column).execute();
    for (const column of ["is_indexed", "website"]) await db.schema.alterTable("accounts").dropColumn(column).execute();
    for (const table of ["job_checks", "account_checks", "jobs", "audit", "credits", "refresh_tokens", "signing_keys"])
      await db.schema.dropTable(table).execute();
    await sql`drop function manager.is_append_only()`.execute(db);
    await db.schema.alterTable("users").dropColumn("owner_id").execute();
    await sql`alter table manager.users drop constraint users_role_check`.execute(db);
    await sql`update manager.users set role = 'user' where role <> 'owner'`.execute(db);
    await sql`alter table manager.users add constraint users_role_check check (role in ('owner', 'user'))`.execute(db);
  },
};

async function createPeople(db: Kysely<unknown>): Promise<void> {
  await sql`alter table manager.users drop constraint users_role_check`.execute(db);
  await sql`update manager.users set role = 'operator' where role = 'user'`.execute(db);
  await sql`alter table manager.users add constraint users_role_check check (role in ('owner', 'operator', 'viewer'))`.execute(db);
  await db.schema
    .alterTable("users")
    .addColumn("owner_id", "uuid", (column) => column.references("users.id").onDelete("cascade"))
    .execute();
  await db.schema
    .createTable("signing_keys")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("sealed_key", "text", (column) => column.notNull())
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("refresh_tokens")
    .addColumn("hash", "text", (column) => column.primaryKey())
    .addColumn("family", "uuid", (column) => column.notNull())
    .addColumn("user_id", "uuid", (column) => column.notNull().references("users.id").onDelete("cascade"))
    .addColumn("scope", "text", (column) => column.notNull())
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("expires_at", "timestamptz", (column) => column.notNull())
    .addColumn("used_at", "timestamptz")
    .execute();
  await db.schema.createIndex("refresh_tokens_family").on("refresh_tokens").column("family").execute();
  await db.schema.createIndex("refresh_tokens_expiry").on("refresh_tokens").column("expires_at").execute();
}

async function createCredits(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("credits")
    .addColumn("id", "bigint", (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn("at", "timestamptz", (column) => column.notNull())
    .addColumn("user_id", "uuid", (column) => column.notNull())
    .addColumn("amount", "bigint", (column) => column.notNull().check(sql`amount <> 0`))
    .addColumn("kind", "text", (column) => column.notNull().check(sql`kind in ('grant', 'reserve', 'refund', 'charge')`))
    .addColumn("request_id", "uuid")
    .addColumn("note", "text", (column) => column.notNull())
    .execute();
  await sql`create index credits_of_user on manager.credits (user_id) include (amount)`.execute(db);
  await sql`create index credits_of_request on manager.credits (request_id) include (amount) where request_id is not null`.execute(db);
  await db.schema
    .createTable("audit")
    .addColumn("id", "bigint", (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn("at", "timestamptz", (column) => column.notNull())
    .addColumn("user_id", "uuid")
    .addColumn("email", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("what", "text", (column) => column.notNull())
    .addColumn("how_many", "integer", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("audit_of_user").on("audit").columns(["user_id", "id"]).execute();
  await sql`create function manager.is_append_only() returns trigger language plpgsql as 'begin raise exception ''this table is append-only''; end'`.execute(
    db,
  );
  for (const table of ["credits", "audit"])
    await sql`create trigger ${sql.ref(`${table}_is_append_only`)} before update or delete or truncate on ${sql.ref(`manager.${table}`)} for each statement execute function manager.is_append_only()`.execute(
      db,
    );
}

async function createChecks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("jobs")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("user_id", "uuid", (column) => column.notNull().references("users.id").onDelete("cascade"))
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("total", "integer", (column) => column.notNull())
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("account_checks")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("account_id", "uuid", (column) => column.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("site", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull().check(sql`state in ('waiting', 'claimed', 'passed', 'failed')`))
    .addColumn("holder", "text")
    .addColumn("lease_until", "timestamptz")
    .addColumn("error_message", "text", (column) => column.notNull())
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("ended_at", "timestamptz")
    .execute();
  await db.schema.createIndex("account_checks_of_account").on("account_checks").column("account_id").execute();
  await sql`create index account_checks_ended on manager.account_checks (ended_at) where ended_at is not null`.execute(db);
  await sql`create unique index account_checks_open on manager.account_checks (account_id) where state in ('waiting', 'claimed')`.execute(
    db,
  );
  await db.schema
    .createTable("job_checks")
    .addColumn("job_id", "uuid", (column) => column.notNull().references("jobs.id").onDelete("cascade"))
    .addColumn("check_id", "uuid", (column) => column.notNull().references("account_checks.id").onDelete("cascade"))
    .addPrimaryKeyConstraint("job_checks_key", ["job_id", "check_id"])
    .execute();
  await db.schema.createIndex("job_checks_of_check").on("job_checks").column("check_id").execute();
}

async function widenWork(db: Kysely<unknown>): Promise<void> {
  const flag = (table: "accounts" | "links") =>
    db.schema.alterTable(table).addColumn("is_indexed", "boolean", (column) => column.notNull().defaultTo(false));
  await flag("accounts").execute();
  await db.schema
    .alterTable("accounts")
    .addColumn("website", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  await flag("links").execute();
  await sql`alter table manager.links add column posted jsonb not null default '[]'`.execute(db);
  for (const column of ["about", "link_profile"])
    await db.schema
      .alterTable("links")
      .addColumn(column, "text", (one) => one.notNull().defaultTo(""))
      .execute();
}

/**
 * A request's counters are kept by whatever changes its links: counting a million of them for each list would take too long. A unit
 * that is done stays done, also when its link is deleted: it is on its site, and paid.
 */
const linkCounters = [
  [
    "count_added_links",
    "after insert on manager.links referencing new table as added for each statement",
    "update manager.requests r set created_links = r.created_links + n.links, done_units = r.done_units + n.units, spent_credits = r.spent_credits + n.units * r.auction_price from (select request_id, count(*) as links, coalesce(sum(units_done), 0) as units from added group by request_id) n where r.id = n.request_id",
  ],
  [
    "count_deleted_links",
    "after delete on manager.links referencing old table as deleted for each statement",
    "update manager.requests r set created_links = r.created_links - d.links from (select request_id, count(*) as links from deleted group by request_id) d where r.id = d.request_id",
  ],
  [
    "count_done_units",
    "after update of state, posted on manager.links for each row when (new.units_done > old.units_done)",
    "update manager.requests set done_units = done_units + new.units_done - old.units_done, spent_credits = spent_credits + (new.units_done - old.units_done) * auction_price where id = new.request_id",
  ],
] as const;

async function countLinks(db: Kysely<unknown>): Promise<void> {
  await sql`alter table manager.links add column units integer generated always as (case when kind = 'primary' then jsonb_array_length(episodes) else 0 end) stored`.execute(
    db,
  );
  await sql`alter table manager.links add column units_done integer generated always as (case when kind <> 'primary' then 0 when state = 'completed' then jsonb_array_length(episodes) else jsonb_array_length(posted) end) stored`.execute(
    db,
  );
  for (const column of ["created_links", "done_units"])
    await db.schema
      .alterTable("requests")
      .addColumn(column, "integer", (one) => one.notNull().defaultTo(0))
      .execute();
  await db.schema
    .alterTable("requests")
    .addColumn("spent_credits", "bigint", (one) => one.notNull().defaultTo(0))
    .execute();
  await sql`update manager.requests r set
    created_links = (select count(*) from manager.links l where l.request_id = r.id),
    done_units = (select coalesce(sum(units), 0) from manager.links l where l.request_id = r.id and l.state = 'completed')`.execute(db);
  await sql`update manager.requests set spent_credits = done_units::bigint * auction_price`.execute(db);
  // Nobody ended a request before there were owners; nothing will move any more in these.
  await sql`update manager.requests r set status = case when done_units > 0 then 'completed' else 'failed' end,
      completed_at = case when done_units > 0 then (select max(l.completed_at) from manager.links l where l.request_id = r.id) end
    where status = 'running' and created_links > 0 and not exists (
      select from manager.links l where l.request_id = r.id and l.kind = 'primary' and l.state not in ('completed', 'failed', 'canceled'))`.execute(
    db,
  );
  for (const [name, when, change] of linkCounters) {
    const body = sql.lit(`begin ${change}; return null; end`);
    await sql`create function ${sql.ref(`manager.${name}`)}() returns trigger language plpgsql as ${body}`.execute(db);
    await sql`create trigger ${sql.ref(`links_${name}`)} ${sql.raw(when)} execute function ${sql.ref(`manager.${name}`)}()`.execute(db);
  }
}

async function createIndexes(db: Kysely<unknown>): Promise<void> {
  await sql`create index links_open_units on manager.links (request_id) include (units, units_done) where kind = 'primary' and state in ('waiting', 'claimed', 'running', 'needs_person', 'unsure')`.execute(
    db,
  );
}
