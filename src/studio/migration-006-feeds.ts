import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** A change that waits for somebody's build is made with this set, see `laterBuild`. */
const UNLESS_LATER = `if coalesce(current_setting('podcrew.later_build', true), '') <> 'yes' then`;
const noted = (show: string): string =>
  `begin ${UNLESS_LATER} insert into studio.feed_changes (show) select guid from studio.shows where guid = ${show}; end if; return null; end`;

const triggers = [
  ["episodes", "feed_gains_episode", "after insert on studio.episodes for each row when (new.state = 'published')", "part"],
  [
    "episodes",
    "feed_changes_episode",
    "after update on studio.episodes for each row when ('published' in (old.state, new.state) and old is distinct from new)",
    "part",
  ],
  ["episodes", "feed_loses_episode", "after delete on studio.episodes for each row when (old.state = 'published')", "part"],
  ["assets", "feed_changes_asset", "after update on studio.assets for each row when (old is distinct from new)", "part"],
  ["shows", "feed_changes_show", "after update on studio.shows for each row when (old is distinct from new)", "show"],
] as const;

const up = [
  `create table studio.feeds (
    show text primary key references studio.shows on delete cascade, version integer not null, made_for text not null,
    left_out integer not null, podcast_guid text)`,
  `create table studio.feed_pages (
    show text not null references studio.shows on delete cascade, page integer not null check (page >= 0), fingerprint text not null,
    sha text not null, bytes integer not null, changed_at timestamptz not null, primary key (show, page))`,
  // Without a reference: a change must wait for nobody who changes the show at the same time.
  `create table studio.feed_changes (id bigserial primary key, show text not null)`,
  `create index feed_changes_show on studio.feed_changes (show)`,
  `create index episodes_published on studio.episodes (parent, published_at, guid) where state = 'published'`,
  `alter table studio.imports add column podcast_guid text`,
  `alter table studio.import_episodes add column guid text`,
  `create unique index episodes_feed_guid on studio.episodes (parent, coalesce(feed_guid, guid))`,
  `create function studio.note_part_of_feed() returns trigger language plpgsql as $$ ${noted("coalesce(new.parent, old.parent)")} $$`,
  `create function studio.note_show_of_feed() returns trigger language plpgsql as $$ ${noted("new.guid")} $$`,
  ...triggers.map(([, name, when, what]) => `create trigger ${name} ${when} execute function studio.note_${what}_of_feed()`),
];

const down = [
  ...triggers.map(([table, name]) => `drop trigger ${name} on studio.${table}`),
  `drop function studio.note_show_of_feed()`,
  `drop function studio.note_part_of_feed()`,
  `drop index studio.episodes_feed_guid`,
  `alter table studio.import_episodes drop column guid`,
  `alter table studio.imports drop column podcast_guid`,
  `drop index studio.episodes_published`,
  `drop table studio.feed_changes`,
  `drop table studio.feed_pages`,
  `drop table studio.feeds`,
];

/**
 * What each show's feed was built of, and what has changed since: whoever changes what the world sees leaves a line, in the same
 * transaction, without having to know that there are feeds. Lines are only added and taken away, so nobody waits for a lock.
 */
export const feeds: Migration = {
  up: async (db) => {
    for (const statement of up) await sql.raw(statement).execute(db);
  },
  down: async (db) => {
    for (const statement of down) await sql.raw(statement).execute(db);
  },
};
