import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** The cover that a show will have once its file is here: until then it keeps the one that it has. */
export const nextCover: Migration = {
  async up(db) {
    await sql.raw(`alter table studio.shows add column next_cover text references studio.assets on delete set null`).execute(db);
  },
  async down(db) {
    await sql.raw(`alter table studio.shows drop column next_cover`).execute(db);
  },
};
