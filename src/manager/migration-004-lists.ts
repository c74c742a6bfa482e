import { sql, type Kysely } from "kysely";

/**
 * What keeps lists of a million rows fast: counters, so that no list counts its rows, and an index for each order of a list.
 *
 * A link's `phase` is its state, told apart as far as its status can't be told from the state without a look at the clock. A
 * link's status follows from its phase and the moment, so links are counted and ordered by phase.
 */
export async function createLists(db: Kysely<unknown>): Promise<void> {
  await sql`alter table manager.links add column phase text not null generated always as (case
    when state = 'waiting' and kind = 'secondary' and link_rss = '' then 'awaiting_feed'
    when state = 'waiting' and next_at is not null then 'backing_off'
    else state end) stored`.execute(db);
  await createTallies(db);
  for (const index of indexes) await sql`create index ${sql.raw(index)}`.execute(db);
}

export async function dropLists(db: Kysely<unknown>): Promise<void> {
  for (const index of indexes) await db.schema.dropIndex(index.split(" ")[0]!).execute();
  for (const { name, table } of [...tallyTriggers(), ...forgetTriggers()]) {
    await sql`drop trigger ${sql.ref(name)} on ${sql.ref(`manager.${table}`)}`.execute(db);
    await sql`drop function ${sql.ref(`manager.${name}`)}()`.execute(db);
  }
  await sql`drop function manager.fold_tallies(uuid[])`.execute(db);
  await db.schema.dropTable("tallies").execute();
  await db.schema.alterTable("links").dropColumn("phase").execute();
}

const indexes = [
  // Of an order that has its column NULLS LAST in both directions the absent are asked for by themselves.
  ...["created_at desc, id", "site, id desc", "retry_count, id desc", "started_at, id desc", "completed_at, id desc"].map(
    (order) => `links_by_${order.split(/\W/)[0]} on manager.links (request_id, phase, ${order})`,
  ),
  "links_of_request on manager.links (request_id, created_at desc, id)",
  // With the column beside what is made of it, counting needs the index alone.
  "links_leased on manager.links (request_id, phase, coalesce(lease_until, '-infinity'::timestamptz)) include (lease_until) where phase in ('running', 'needs_person', 'unsure')",
  "links_delayed on manager.links (request_id, phase, next_at) where phase = 'backing_off'",
  "requests_of_user on manager.requests (user_id, service_type, created_at desc, id)",
  "projects_of_user on manager.requests (user_id, created_at desc, id)",
  "groups_of_user on manager.groups (user_id, created_at desc, id)",
  "accounts_of_group on manager.accounts (group_id, created_at desc, id)",
  "accounts_of_group_status on manager.accounts (group_id, status, created_at desc, id)",
];

/** Which rows are counted, of what, under which word. */
const tallied = [
  { table: "links", of: "requests", ofId: "request_id", word: "phase" },
  { table: "accounts", of: "groups", ofId: "group_id", word: "status" },
] as const;

/** More rows than this of one thing are added up to one a word. */
const LONGEST_TALLY = 40;

/**
 * The number of something is the sum of its rows. Each change adds rows of its own and changes none, so whoever changes links or
 * accounts waits for nobody because of the counting, and nobody waits for each other for ever. Adding up takes the rows that
 * nobody else is adding up, and leaves the sum as it was for whoever looks, before and afterwards.
 *
 * No foreign key: its check would wait for whoever deletes the request, who waits for the link.
 */
async function createTallies(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("tallies")
    .addColumn("of_id", "uuid", (column) => column.notNull())
    .addColumn("word", "text", (column) => column.notNull())
    .addColumn("n", "integer", (column) => column.notNull())
    .execute();
  await sql`create index tallies_of on manager.tallies (of_id) include (word, n)`.execute(db);
  await sql`create function manager.fold_tallies(ids uuid[]) returns void language sql as ${sql.lit(`
    with long as (select of_id from manager.tallies where of_id = any(ids) group by of_id having count(*) > ${LONGEST_TALLY}),
      taken as (select t.ctid from manager.tallies t join long on long.of_id = t.of_id for update of t skip locked),
      gone as (delete from manager.tallies where ctid = any(array(select ctid from taken)) returning of_id, word, n)
    insert into manager.tallies select of_id, word, sum(n) from gone group by of_id, word having sum(n) <> 0`)}`.execute(db);
  for (const { table, ofId, word } of tallied)
    await sql`insert into manager.tallies select ${sql.ref(ofId)}, ${sql.ref(word)}, count(*) from ${sql.ref(`manager.${table}`)} group by 1, 2`.execute(
      db,
    );
  for (const { name, when, body } of [...tallyTriggers(), ...forgetTriggers()]) {
    await sql`create function ${sql.ref(`manager.${name}`)}() returns trigger language plpgsql as ${sql.lit(body)}`.execute(db);
    await sql`create trigger ${sql.ref(name)} ${sql.raw(`${when} for each statement execute function manager.${name}()`)}`.execute(db);
  }
}

function tallyTriggers() {
  return tallied.flatMap(({ table, of, ofId, word }) => {
    const added = `select ${ofId}, ${word}, 1 from added`;
    const removed = `select ${ofId}, ${word}, -1 from removed`;
    return [
      { event: "insert", rows: "new table as added", changes: added },
      {
        event: "delete",
        rows: "old table as removed",
        changes: `${removed} where exists (select from manager.${of} o where o.id = ${ofId})`,
      },
      { event: "update", rows: "new table as added old table as removed", changes: `${added} union all ${removed}` },
    ].map(({ event, rows, changes }) => ({
      name: `tally_${table}_on_${event}`,
      table,
      when: `after ${event} on manager.${table} referencing ${rows}`,
      body: `declare changed uuid[];
        begin
          with noted as (insert into manager.tallies
            select c.of_id, c.word, sum(c.n) from (${changes}) c (of_id, word, n) group by c.of_id, c.word having sum(c.n) <> 0
            returning of_id)
          select array_agg(distinct of_id) into changed from noted;
          if changed is not null then perform manager.fold_tallies(changed); end if;
          return null;
        end`,
    }));
  });
}

/** Rows that are deleted along with it are not counted any more: their own triggers come afterwards. */
function forgetTriggers() {
  return tallied.map(({ of: table }) => ({
    name: `forget_tallies_of_${table}`,
    table,
    when: `after delete on manager.${table} referencing old table as removed`,
    body: `begin delete from manager.tallies where of_id in (select id from removed); return null; end`,
  }));
}
