import { sql, type Kysely } from "kysely";
import { taskStates } from "../contract/states.ts";

const open = sql.raw(
  taskStates
    .filter((state) => !["completed", "failed", "canceled"].includes(state))
    .map((state) => `'${state}'`)
    .join(", "),
);

/**
 * Links and checks wait for farms in lines, one for each kind and site. Who stands in line, and from when on, are columns of their
 * own, so that an index has exactly those that can be handed out: a pull never walks past those that can't.
 */
export async function addLines(db: Kysely<unknown>): Promise<void> {
  await sql`alter table manager.links add column paused boolean not null default false`.execute(db);
  await sql`update manager.links l set paused = true from manager.accounts a join manager.groups g on g.id = a.group_id
    where a.id = l.account_id and 'inactive' in (a.status, g.status)`.execute(db);
  await sql`create function manager.feed_of_request(request uuid) returns text language sql stable as ${sql.lit(FEED)}`.execute(db);
  await sql`update manager.links set link_rss = coalesce(manager.feed_of_request(request_id), '') where kind = 'secondary' and link_rss = ''`.execute(
    db,
  );
  await sql`alter table manager.links
    add column lane text generated always as (case when state in (${open}) and not paused and (kind = 'primary' or link_rss <> '') then kind end) stored,
    add column due_at timestamptz generated always as (case when state = 'waiting' then next_at else lease_until end) stored`.execute(db);
  await sql`alter table manager.account_checks
    add column lane text generated always as (case when state in ('waiting', 'claimed') then 'check' end) stored,
    add column due_at timestamptz generated always as (case when state = 'claimed' then lease_until end) stored`.execute(db);
  await sql`drop index manager.links_open`.execute(db);
  for (const [name, where] of indexes) await sql`create index ${sql.ref(name)} on ${sql.raw(where)}`.execute(db);
  for (const [name, when, body] of triggers) {
    await sql`create function ${sql.ref(`manager.${name}`)}() returns trigger language plpgsql as ${sql.lit(`begin ${body}; return null; end`)}`.execute(
      db,
    );
    await sql`create trigger ${sql.ref(name)} ${sql.raw(when)} execute function ${sql.ref(`manager.${name}`)}()`.execute(db);
  }
}

/** Before the columns and tables are gone that it stands on. */
export async function dropLines(db: Kysely<unknown>): Promise<void> {
  for (const [name, when] of triggers) {
    await sql`drop trigger ${sql.ref(name)} on ${sql.raw(/ on (manager\.\w+) /.exec(when)?.[1] ?? "")}`.execute(db);
    await sql`drop function ${sql.ref(`manager.${name}`)}()`.execute(db);
  }
  for (const [name] of indexes) await sql`drop index ${sql.ref(`manager.${name}`)}`.execute(db);
  await sql`drop function manager.feed_of_request(uuid)`.execute(db);
  await sql`alter table manager.account_checks drop column lane, drop column due_at`.execute(db);
  await sql`alter table manager.links drop column lane, drop column due_at, drop column paused`.execute(db);
  await sql`create index links_open on manager.links (priority desc, created_at, id) where state in ('waiting', 'claimed', 'running')`.execute(
    db,
  );
}

/** Of the account whose primary was completed first, among those that have reported a feed. */
const FEED = `select a.link_rss from manager.links p join manager.accounts a on a.id = p.account_id
  where p.request_id = request and p.kind = 'primary' and p.state = 'completed' and a.link_rss <> ''
  order by p.completed_at, p.id limit 1`;

const indexes = [
  ["links_ready", "manager.links (lane, site, priority desc, created_at, id) where lane is not null and due_at is null"],
  ["links_ready_anywhere", "manager.links (lane, priority desc, created_at, id) where lane is not null and due_at is null"],
  ["links_due", "manager.links (lane, site, due_at, id) where lane is not null and due_at is not null"],
  ["links_due_anywhere", "manager.links (lane, due_at, id) where lane is not null and due_at is not null"],
  ["links_held", "manager.links (holder, lease_until) where lease_until is not null"],
  ["links_of_account_held", "manager.links (account_id) where lease_until is not null"],
  ["links_posted", "manager.links (request_id, completed_at, id) where kind = 'primary' and state = 'completed'"],
  ["links_importing", `manager.links (request_id) where kind = 'secondary' and state not in ('completed', 'failed', 'canceled')`],
  ["links_lacking_feed", "manager.links (request_id) where kind = 'secondary' and link_rss = ''"],
  ["checks_ready", "manager.account_checks (lane, site, created_at, id) where lane is not null and due_at is null"],
  ["checks_ready_anywhere", "manager.account_checks (lane, created_at, id) where lane is not null and due_at is null"],
  ["checks_due", "manager.account_checks (lane, site, due_at, id) where lane is not null and due_at is not null"],
  ["checks_due_anywhere", "manager.account_checks (lane, due_at, id) where lane is not null and due_at is not null"],
  ["checks_held", "manager.account_checks (holder, lease_until) where lease_until is not null"],
  ["accounts_unsupported", "manager.accounts (site, id) where status = 'unsupported'"],
] as const;

const activityChanges = "(old.status = 'inactive') <> (new.status = 'inactive')";
const giveFeed = (request: string): string =>
  `with f as materialized (select manager.feed_of_request(${request}) as feed)
   update manager.links s set link_rss = f.feed from f
   where s.request_id = ${request} and s.kind = 'secondary' and s.link_rss = '' and f.feed is not null`;

/**
 * A feed is looked up once for each request (`materialized`), not for each of its links.
 *
 * A link's `paused` and an import's feed follow from other rows, so they are written when those change. Whoever changes those rows
 * holds the locks of the requests whose links this touches.
 */
const triggers = [
  [
    "links_begin",
    "after insert on manager.links referencing new table as added for each statement",
    `update manager.links l set paused = true from added n join manager.accounts a on a.id = n.account_id join manager.groups g on g.id = a.group_id
       where l.id = n.id and 'inactive' in (a.status, g.status);
     with f as materialized (
         select request_id, manager.feed_of_request(request_id) as feed from (select distinct request_id from added where kind = 'secondary' and link_rss = '') n)
     update manager.links s set link_rss = f.feed from f
       where s.request_id = f.request_id and s.kind = 'secondary' and s.link_rss = '' and f.feed is not null`,
  ],
  [
    "links_share_feed",
    "after update of state on manager.links for each row when (new.state = 'completed' and old.state <> 'completed' and new.kind = 'primary')",
    // An account that reports its feed at this moment is waited for: one of the two has to see the other.
    `if exists (select from manager.links s where s.request_id = new.request_id and s.kind = 'secondary' and s.link_rss = '') then
       perform from manager.accounts a where a.id = new.account_id for share; ${giveFeed("new.request_id")}; end if`,
  ],
  [
    "accounts_share_feed",
    "after update of link_rss on manager.accounts for each row when (old.link_rss = '' and new.link_rss <> '')",
    `with f as materialized (select p.request_id, manager.feed_of_request(p.request_id) as feed from manager.links p
         where p.account_id = new.id and p.kind = 'primary' and p.state = 'completed'
           and exists (select from manager.links w where w.request_id = p.request_id and w.kind = 'secondary' and w.link_rss = ''))
     update manager.links s set link_rss = f.feed from f
       where s.request_id = f.request_id and s.kind = 'secondary' and s.link_rss = '' and f.feed is not null`,
  ],
  [
    "accounts_pause_links",
    `after update of status on manager.accounts for each row when (${activityChanges})`,
    `update manager.links l set paused = 'inactive' in (new.status, g.status) from manager.groups g
       where g.id = new.group_id and l.account_id = new.id and l.state <> 'completed'`,
  ],
  [
    "groups_pause_links",
    `after update of status on manager.groups for each row when (${activityChanges})`,
    `update manager.links l set paused = 'inactive' in (a.status, new.status) from manager.accounts a
       where a.group_id = new.id and l.account_id = a.id and l.state <> 'completed'`,
  ],
] as const;
