import { sql, type Selectable, type Transaction } from "kysely";
import { anyOf } from "../any-of.ts";
import type { Caller } from "../caller.ts";
import { isFree } from "../free-account.ts";
import { leaseFrom } from "../lease.ts";
import { takeFromLine } from "../next-in-line.ts";
import type { ManagerTables } from "../tables.ts";

export interface CheckOrder {
  /** null: all sites. */
  sites: readonly string[] | null;
  limit: number;
}

interface Claimed {
  id: string;
  /** False: the caller had it before this pull. */
  fresh: boolean;
}

type Trx = Transaction<ManagerTables>;
type Placed = Pick<Selectable<ManagerTables["account_checks"]>, "id" | "created_at">;

/** As for tasks: the caller's own first, whose leases begin anew, then the oldest; none of an account that another farm works on. */
export async function claimChecks(trx: Trx, caller: Caller, { sites, limit }: CheckOrder, now: Date): Promise<Claimed[]> {
  const had = await ownChecks(trx, caller, { sites, limit }, now);
  const own = had.length > 0 ? await renew(trx, caller, had, limit, now) : [];
  const taken = await takeFromLine(
    trx,
    { caller, table: "account_checks", lanes: ["check"], sites },
    limit - had.length,
    now,
    async (ids, most) => claim(trx, caller, ids, most, now),
  );
  return [...own.toSorted(byAge).map(({ id }) => ({ id, fresh: false })), ...taken.toSorted(byAge).map(({ id }) => ({ id, fresh: true }))];
}

function byAge(a: Placed, b: Placed): number {
  return a.created_at.getTime() - b.created_at.getTime() || (a.id < b.id ? -1 : 1);
}

async function ownChecks(trx: Trx, caller: Caller, { sites, limit }: CheckOrder, now: Date): Promise<string[]> {
  const rows = await trx
    .selectFrom("account_checks")
    .select("id")
    .where("holder", "=", caller.holder)
    .where("lease_until", ">", now)
    .$if(sites !== null, (query) => query.where("site", "=", anyOf(sites ?? [])))
    .orderBy("created_at")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

async function renew(trx: Trx, caller: Caller, ids: readonly string[], limit: number, now: Date): Promise<Placed[]> {
  const picked = await trx
    .selectFrom("account_checks")
    .select("id")
    .where("id", "=", anyOf(ids, "uuid"))
    // Since it was found somebody may have taken it.
    .where("holder", "=", caller.holder)
    .where("lease_until", ">", now)
    .orderBy("created_at")
    .orderBy("id")
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return lease(trx, caller, picked, now, "own");
}

/** As for tasks: the accounts are locked as well, and looked at once more behind the locks. */
async function claim(trx: Trx, caller: Caller, ids: readonly string[], limit: number, now: Date): Promise<Placed[]> {
  const picked = await trx
    .selectFrom("account_checks as c")
    .innerJoin("accounts as a", "a.id", "c.account_id")
    .select("c.id")
    .where("c.id", "=", anyOf(ids, "uuid"))
    .where("c.lane", "is not", null)
    .where(({ eb, or }) => or([eb("c.due_at", "is", null), eb("c.due_at", "<=", now)]))
    .orderBy("c.created_at")
    .orderBy("c.id")
    .limit(limit)
    .modifyEnd(sql`for update of c skip locked for no key update of a skip locked`)
    .execute();
  return lease(trx, caller, picked, now, "free");
}

async function lease(trx: Trx, caller: Caller, picked: readonly { id: string }[], now: Date, whose: "own" | "free"): Promise<Placed[]> {
  if (picked.length === 0) return [];
  const ids = picked.map(({ id }) => id);
  return trx
    .updateTable("account_checks as t")
    .where("t.id", "=", anyOf(ids, "uuid"))
    .$if(whose === "free", (query) => query.where(isFree("t.account_id", caller, now)))
    .set({ state: sql<"claimed">`'claimed'`, holder: caller.holder, lease_until: leaseFrom(now) })
    .returning(["t.id", "t.created_at"])
    .execute();
}
