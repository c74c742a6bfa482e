import { sql, type Kysely, type Updateable } from "kysely";
import { anyOf } from "./any-of.ts";
import type { Caller } from "./caller.ts";
import { isFree } from "./free-account.ts";
import { leaseFrom } from "./lease.ts";
import { takeFromLine } from "./next-in-line.ts";
import type { LinkKind, LinkRow, ManagerTables } from "./tables.ts";

export interface PullOrder {
  /** null: both kinds. */
  kind: LinkKind | null;
  /** null: all sites. */
  sites: readonly string[] | null;
  limit: number;
}

/** A task that was just handed out, in its place in the answer. */
interface Handed {
  id: string;
  /** False: the holder had it before this pull. */
  fresh: boolean;
}

const ownStates = ["claimed", "running"] as const;
type Placed = Pick<LinkRow, "id" | "priority" | "created_at">;

/**
 * A pull is a claim, and skips what another pull is picking, so that no two callers ever get the same task.
 *
 * The holder's own tasks come first (its last answer may have been lost, or its memory), then new work by priority and age.
 * So a repeated pull brings the same and claims nothing further, and a farm that wants n new tasks asks for as many as it
 * holds and n on top.
 *
 * Nobody gets new work of an account that is inactive, or whose group is: what is held already is finished, the rest waits.
 * Nor of an account of which another farm has a task or a check.
 */
export async function pullTasks(trx: Kysely<ManagerTables>, caller: Caller, order: PullOrder, now: Date): Promise<Handed[]> {
  const { kind, sites, limit } = order;
  if (sites?.length === 0) return [];
  const had = await ownTasks(trx, caller, order, now);
  const own = had.length > 0 ? await renew(trx, caller, had, limit, now) : [];
  const lanes: readonly LinkKind[] = kind === null ? ["primary", "secondary"] : [kind];
  const taken = await takeFromLine(trx, { caller, table: "links", lanes, sites }, limit - had.length, now, async (ids, most) =>
    claim(trx, caller, ids, most, now),
  );
  return [
    ...own.toSorted(inLine).map(({ id }) => ({ id, fresh: false })),
    ...taken.toSorted(inLine).map(({ id }) => ({ id, fresh: true })),
  ];
}

function inLine(a: Placed, b: Placed): number {
  return b.priority - a.priority || a.created_at.getTime() - b.created_at.getTime() || (a.id < b.id ? -1 : 1);
}

async function ownTasks(trx: Kysely<ManagerTables>, caller: Caller, { kind, sites, limit }: PullOrder, now: Date): Promise<string[]> {
  const rows = await trx
    .selectFrom("links")
    .select("id")
    .where("holder", "=", caller.holder)
    .where("lease_until", ">", now)
    .where("state", "in", ownStates)
    .$if(kind !== null, (query) => query.where("kind", "=", kind ?? "primary"))
    .$if(sites !== null, (query) => query.where("site", "=", anyOf(sites ?? [])))
    .orderBy("priority", "desc")
    .orderBy("created_at")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** The caller's own, whose leases begin anew. What somebody is just changing is left out. */
async function renew(trx: Kysely<ManagerTables>, caller: Caller, ids: readonly string[], limit: number, now: Date): Promise<Placed[]> {
  const picked = await trx
    .selectFrom("links")
    .select("id")
    .where("id", "=", anyOf(ids, "uuid"))
    // Since it was found somebody may have changed it.
    .where("holder", "=", caller.holder)
    .where("lease_until", ">", now)
    .where("state", "in", ownStates)
    .orderBy("priority", "desc")
    .orderBy("created_at")
    .orderBy("id")
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return lease(trx, caller, picked, {}, now);
}

/**
 * Free ones. Their accounts are locked as well, so that two pulls don't take one account's tasks at the same moment; and they are
 * looked at once more behind the locks: somebody may have taken one since they were found. Nothing is waited for.
 */
async function claim(trx: Kysely<ManagerTables>, caller: Caller, ids: readonly string[], limit: number, now: Date): Promise<Placed[]> {
  const picked = await trx
    .selectFrom("links as l")
    .innerJoin("accounts as a", "a.id", "l.account_id")
    .select("l.id")
    .where("l.id", "=", anyOf(ids, "uuid"))
    .where("l.lane", "is not", null)
    .where(({ eb, or }) => or([eb("l.due_at", "is", null), eb("l.due_at", "<=", now)]))
    .orderBy("l.priority", "desc")
    .orderBy("l.created_at")
    .orderBy("l.id")
    .limit(limit)
    .modifyEnd(sql`for update of l skip locked for no key update of a skip locked`)
    .execute();
  return lease(trx, caller, picked, { state: "claimed" }, now);
}

async function lease(
  trx: Kysely<ManagerTables>,
  caller: Caller,
  picked: readonly Pick<LinkRow, "id">[],
  change: Updateable<ManagerTables["links"]>,
  now: Date,
): Promise<Placed[]> {
  if (picked.length === 0) return [];
  const ids = picked.map(({ id }) => id);
  return trx
    .updateTable("links as t")
    .where("t.id", "=", anyOf(ids, "uuid"))
    .$if(change.state !== undefined, (query) => query.where(isFree("t.account_id", caller, now)))
    .set({
      ...change,
      holder: caller.holder,
      server_id: caller.keyId,
      server_name: caller.name,
      lease_until: leaseFrom(now),
      updated_at: now,
    })
    .returning(["t.id", "t.priority", "t.created_at"])
    .execute();
}
