import type { Migration } from "kysely/migration";
import { sql } from "kysely";

const up = [
  `create table studio.media_owner (one boolean primary key default true check (one), id text not null)`,
  `create table studio.media_unused (content text primary key, since timestamptz not null)`,
  `create table studio.media_removals (content text primary key, token text not null, since timestamptz not null, done boolean not null)`,
  // Which files are pointed to, and whether a content is there already.
  `create index assets_content on studio.assets (left(path, 32))`,
  // Whose file an asset is: looked up for each that a sweep finds, and by the database for each that is deleted.
  `create index episodes_of_audio on studio.episodes (audio)`,
  `create index episodes_of_cover on studio.episodes (cover)`,
  `create index shows_of_cover on studio.shows (cover)`,
];
const down = [
  ...["shows_of_cover", "episodes_of_cover", "episodes_of_audio", "assets_content"].map((index) => `drop index studio.${index}`),
  ...["media_removals", "media_unused", "media_owner"].map((table) => `drop table studio.${table}`),
];

/** Whose files are in the media store and who uses them: what a sweep must know before it takes any away. */
export const media: Migration = {
  up: async (db) => {
    for (const statement of up) await sql.raw(statement).execute(db);
  },
  down: async (db) => {
    for (const statement of down) await sql.raw(statement).execute(db);
  },
};
