import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { podops } from "./migration-004-podops.ts";
import { feeds } from "./migration-006-feeds.ts";
import { nextCover } from "./migration-007-next-cover.ts";
import { media } from "./media/migration-005-media.ts";

const tables = [
  `create table studio.accounts (
    id text primary key, email text not null unique, name text not null, password_hash text not null,
    second_factor text not null check (second_factor in ('none', 'totp', 'mail')), totp_sealed text,
    locale text not null, created_at timestamptz not null)`,
  `create table studio.totp_used (account_id text not null references studio.accounts on delete cascade, step integer not null, primary key (account_id, step))`,
  `create table studio.mailed_codes (
    id text primary key, account_id text not null references studio.accounts on delete cascade, code_hash text not null, tries integer not null,
    created_at timestamptz not null, expires_at timestamptz not null, used_at timestamptz)`,
  `create index mailed_codes_newest on studio.mailed_codes (account_id, created_at desc)`,
  `create table studio.login_attempts (email text primary key, failures integer not null, last_at timestamptz not null, locked_until timestamptz)`,
  `create table studio.sessions (
    id text primary key, token_hash text not null unique, account_id text not null references studio.accounts on delete cascade,
    stage text not null check (stage in ('code', 'challenge', 'in')), next_path text not null, human boolean not null, saw_news boolean not null,
    created_at timestamptz not null, expires_at timestamptz not null)`,
  `create table studio.admin_keys (id serial primary key, prefix text not null, key_hash text not null unique, created_at timestamptz not null)`,
  `create table studio.productions (
    guid text primary key check (guid ~ '^[0-9a-f]{12}$'), name text not null unique check (name ~ '^[a-z0-9_-]{8,44}$'),
    owner_id text not null references studio.accounts, title text not null, summary text not null, published boolean not null,
    latest_publish_at timestamptz, build_at timestamptz, created_at timestamptz not null)`,
  `create table studio.shows (
    guid text primary key check (guid ~ '^[0-9a-f]{12}$'), parent text not null references studio.productions on delete cascade,
    name text not null unique check (name ~ '^[a-z0-9_-]{8,44}$'), title text not null, description text not null, language text not null,
    author text not null, owner_email text not null, category text not null, explicit boolean not null, cover text,
    created_at timestamptz not null, updated_at timestamptz not null)`,
  `create table studio.assets (
    guid text primary key check (guid ~ '^[0-9a-f]{12}$'), parent text not null references studio.shows on delete cascade,
    kind text not null check (kind in ('audio', 'cover')), file_name text not null, path text not null, mime text not null, bytes integer not null,
    seconds double precision, state text not null check (state in ('processing', 'ready', 'refused')), problem text, created_at timestamptz not null)`,
  `create index assets_processing on studio.assets (created_at) where state = 'processing'`,
  `alter table studio.shows add constraint shows_cover foreign key (cover) references studio.assets`,
  `create table studio.episodes (
    guid text primary key check (guid ~ '^[0-9a-f]{12}$'), parent text not null references studio.shows on delete cascade,
    slug text, title text not null, about_html text not null, audio text references studio.assets, cover text references studio.assets,
    machine_voice boolean not null, state text not null check (state in ('draft', 'scheduled', 'published')), publish_at timestamptz, published_at timestamptz,
    created_at timestamptz not null, updated_at timestamptz not null, unique (parent, slug))`,
  `create index episodes_newest on studio.episodes (parent, created_at desc)`,
  `create index episodes_due on studio.episodes (publish_at) where state = 'scheduled'`,
  `create table studio.builds (id serial primary key, production text not null references studio.productions on delete cascade, at timestamptz not null, reason text not null)`,
  `create table studio.history (
    id serial primary key, at timestamptz not null, show_name text not null, episode text not null, account text not null, title text not null,
    audio_file text not null, outcome text not null check (outcome in ('published', 'repeat', 'refused')), link text not null, reason text not null)`,
  `create function studio.history_is_append_only() returns trigger language plpgsql as $$
    begin raise exception 'the history is append-only'; end $$`,
  `create trigger history_rows before update or delete on studio.history for each row execute function studio.history_is_append_only()`,
  `create trigger history_table before truncate on studio.history for each statement execute function studio.history_is_append_only()`,
] as const;

const importTables = [
  `alter table studio.shows add column locked boolean not null default false`,
  `alter table studio.shows add column imported_from text`,
  `create table studio.imports (
    guid text primary key check (guid ~ '^[0-9a-f]{12}$'), account_id text not null references studio.accounts on delete cascade, feed_url text not null,
    title text not null, description text not null, language text not null, author text not null, owner_email text not null, category text not null,
    explicit boolean not null, state text not null check (state in ('asked', 'verified', 'done')), code_hash text not null, tries integer not null,
    mailed_at timestamptz not null, expires_at timestamptz not null, show_guid text references studio.shows on delete set null,
    created_at timestamptz not null)`,
  `create index imports_of_account on studio.imports (account_id, created_at desc)`,
  `create table studio.import_episodes (
    id serial primary key, import_guid text not null references studio.imports on delete cascade, title text not null, about_html text not null,
    audio_url text not null, published_at timestamptz not null, state text not null check (state in ('offered', 'waiting', 'done', 'failed')),
    tries integer not null, problem text not null)`,
  `create index import_episodes_waiting on studio.import_episodes (id) where state = 'waiting'`,
  `create table studio.import_history (
    id serial primary key, at timestamptz not null, account text not null, feed_url text not null, import_guid text not null, title text not null,
    outcome text not null check (outcome in ('imported', 'repeat', 'refused')), link text not null, reason text not null)`,
  `create trigger import_history_rows before update or delete on studio.import_history for each row execute function studio.history_is_append_only()`,
  `create trigger import_history_table before truncate on studio.import_history for each statement execute function studio.history_is_append_only()`,
] as const;

const names = [
  "history",
  "builds",
  "episodes",
  "assets",
  "shows",
  "productions",
  "admin_keys",
  "sessions",
  "login_attempts",
  "mailed_codes",
  "totp_used",
  "accounts",
] as const;

async function run(db: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export const migrations: Record<string, Migration> = {
  "0001_studio": {
    up: async (db) => run(db, tables),
    down: async (db) =>
      run(db, [...names.map((name) => `drop table studio.${name} cascade`), "drop function studio.history_is_append_only()"]),
  },
  "0002_imports": {
    up: async (db) => run(db, importTables),
    down: async (db) =>
      run(db, [
        ...["import_history", "import_episodes", "imports"].map((name) => `drop table studio.${name}`),
        "alter table studio.shows drop column imported_from",
        "alter table studio.shows drop column locked",
      ]),
  },
  "0003_import_rests": {
    // There already where 0002 was run in the form that it had for a time.
    up: async (db) => run(db, ["alter table studio.import_episodes add column if not exists not_before timestamptz"]),
    down: async (db) => run(db, ["alter table studio.import_episodes drop column not_before"]),
  },
  "0004_podops": podops,
  "0005_media": media,
  "0006_feeds": feeds,
  "0007_next_cover": nextCover,
};
