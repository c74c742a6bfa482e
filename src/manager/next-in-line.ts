import { sql, type Kysely, type RawBuilder } from "kysely";
import type { Caller } from "./caller.ts";
import { isFree } from "./free-account.ts";
import type { LinkKind, ManagerTables } from "./tables.ts";

/** What waits for farms, who asks, and for what of it. */
export type Line = { readonly caller: Pick<Caller, "holder">; readonly sites: readonly string[] | null } & (
  | { readonly table: "links"; readonly lanes: readonly LinkKind[] }
  | { readonly table: "account_checks"; readonly lanes: readonly ["check"] }
);

/** Who is first, as the indexes of the tables have it. */
const order = {
  links: sql`w.priority desc, w.created_at, w.id`,
  account_checks: sql`w.created_at, w.id`,
} as const;
const shown = { links: sql`w.id, w.priority, w.created_at`, account_checks: sql`w.id, w.created_at` } as const;

/** Further ones are looked at while others have locked the first. */
const SLACK = 20;
const FURTHER = 4;

/**
 * Takes up to `limit` from a line; `claim` marks as many as it can get of those that it is given, in their order, and leaves out
 * what others are just taking. Where they were so many that too few are left, it looks further down the line.
 *
 * It reads as many rows as it takes, for each site, however many wait: those that are ready are in the order of the line, those whose
 * pause or lease has run out in the order in which it did. So their priority counts among the first `limit` of them that are due.
 * Besides, it passes over those whose account is in another farm's hands: they can't be more than what farms hold, for each request.
 */
export async function takeFromLine<Taken>(
  db: Kysely<ManagerTables>,
  line: Line,
  limit: number,
  now: Date,
  claim: (ids: readonly string[], limit: number) => Promise<Taken[]>,
): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (let reach = limit + SLACK; taken.length < limit; reach *= FURTHER) {
    const ids = await nextInLine(db, line, reach, now);
    if (ids.length > 0) taken.push(...(await claim(ids, limit - taken.length)));
    if (ids.length < reach) break;
  }
  return taken;
}

/** Locks nothing. */
async function nextInLine(db: Kysely<ManagerTables>, { caller, table, lanes, sites }: Line, reach: number, now: Date): Promise<string[]> {
  const from = sql.ref(`manager.${table}`);
  const atSite = sites === null ? sql`` : sql` and w.site = s.site`;
  const rows = (when: RawBuilder<unknown>, by: RawBuilder<unknown>) =>
    sql`(select ${shown[table]} from ${from} w where w.lane = k.lane${atSite} and ${when} and ${isFree("w.account_id", caller, now)} order by ${by} limit ${reach})`;
  const { rows: found } = await sql<{ id: string }>`
    select w.id from unnest(${[...lanes]}::text[]) k(lane)${sites === null ? sql`` : sql` cross join unnest(${[...sites]}::text[]) s(site)`}
    cross join lateral (
      ${rows(sql`w.due_at is null`, order[table])} union all ${rows(sql`w.due_at <= ${now}`, sql`w.due_at, w.id`)}) w
    order by ${order[table]} limit ${reach}`.execute(db);
  return found.map(({ id }) => id);
}
