import { sql } from "kysely";
import type { Migration } from "kysely/migration";

const up = [
  `alter table studio.shows add column podcast_guid text`,
  `alter table studio.shows add column details text not null default '{}'`,
  `alter table studio.episodes add column name text check (name ~ '^[a-z0-9_-]{8,44}$')`,
  `alter table studio.episodes add column builds boolean not null default false`,
  `alter table studio.episodes add column dated_at timestamptz`,
  `alter table studio.episodes add column feed_guid text`,
  `alter table studio.episodes add column details text not null default '{}'`,
  `create unique index episodes_name on studio.episodes (parent, name)`,
  `create index episodes_to_build on studio.episodes (parent) where builds`,
  // Files may come before the show does; it has its production's guid.
  `alter table studio.assets drop constraint assets_parent_fkey`,
  `alter table studio.assets add constraint assets_parent_fkey foreign key (parent) references studio.productions on delete cascade`,
  `alter table studio.assets drop constraint assets_state_check`,
  `alter table studio.assets add constraint assets_state_check check (state in ('waiting', 'processing', 'ready', 'refused'))`,
  `create table studio.asset_refs (
    asset text primary key references studio.assets on delete cascade, parent text not null references studio.productions on delete cascade, name text,
    rel text not null check (rel in ('local', 'external', 'import')), uri text not null, labels text not null, tags text not null,
    tries integer not null, not_before timestamptz, problem text not null)`,
  `create unique index asset_refs_name on studio.asset_refs (parent, name)`,
  `create index asset_refs_uri on studio.asset_refs (parent, md5(uri))`,
  `create index assets_waiting on studio.assets (created_at) where state = 'waiting'`,
  `create table studio.signing_keys (id text primary key, sealed_key text not null, created_at timestamptz not null)`,
] as const;

const down = [
  `drop table studio.signing_keys`,
  `drop index studio.assets_waiting`,
  `drop table studio.asset_refs`,
  `delete from studio.assets where parent not in (select guid from studio.shows)`,
  `alter table studio.assets drop constraint assets_parent_fkey`,
  `alter table studio.assets add constraint assets_parent_fkey foreign key (parent) references studio.shows on delete cascade`,
  `update studio.assets set state = 'refused', problem = 'audioBroken' where state = 'waiting'`,
  `alter table studio.assets drop constraint assets_state_check`,
  `alter table studio.assets add constraint assets_state_check check (state in ('processing', 'ready', 'refused'))`,
  ...["details", "feed_guid", "dated_at", "builds", "name"].map((column) => `alter table studio.episodes drop column ${column}`),
  ...["details", "podcast_guid"].map((column) => `alter table studio.shows drop column ${column}`),
] as const;

/** What PodOps says of shows, episodes and files that the web studio does not ask for. */
export const podops: Migration = {
  async up(db) {
    for (const statement of up) await sql.raw(statement).execute(db);
  },
  async down(db) {
    for (const statement of down) await sql.raw(statement).execute(db);
  },
};
