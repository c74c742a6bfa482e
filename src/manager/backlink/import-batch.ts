import { sql, type Kysely, type Transaction } from "kysely";
import type { AccountRow, ManagerTables } from "../tables.ts";
import { changeable, changedAccount, newAccount, type AccountIdentity, type Making } from "./account-record.ts";
import { askAgain } from "./checks.ts";
import { lockGroup } from "./groups.ts";
import { keyOf, type ImportRow } from "./import-rows.ts";
import { lockRequestsOfAccounts } from "./running-work.ts";

type Db = Kysely<ManagerTables>;

export interface Into {
  db: Db;
  tenant: string;
  groupId: string;
  overwrite: boolean;
  making: Making;
  nextId: () => string;
}

/** Accounts of one batch. Secrets are sealed before a transaction begins, for on the embedded database all others wait for its end. */
export async function writeBatch(into: Into, batch: readonly ImportRow[]): Promise<{ imported: number; overwritten: number }> {
  const fresh = await insertNew(into, batch);
  const rest = batch.filter((row) => !fresh.has(row));
  return { imported: fresh.size, overwritten: into.overwrite ? await overwriteKnown(into, rest) : 0 };
}

/** One import of a group writes at a time, in whatever process: two that insert the same accounts would wait for each other. */
async function inGroup<T>({ db, tenant, groupId }: Into, work: (trx: Transaction<ManagerTables>) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (trx) => {
    await lockGroup(trx, tenant, groupId);
    return work(trx);
  });
}

/** @returns those that became accounts */
async function insertNew(into: Into, batch: readonly ImportRow[]): Promise<Set<ImportRow>> {
  const { db, groupId, making, nextId } = into;
  const there = new Set((await selectKnown(db, groupId, batch).select(["a.site", "a.login"]).execute()).map(keyOf));
  const byKey = new Map<string, ImportRow>();
  for (const row of batch) if (!there.has(row.key) && !byKey.has(row.key)) byKey.set(row.key, row);
  if (byKey.size === 0) return new Set();
  const rows = [...byKey.values()].map(({ site, login, input }) => newAccount({ id: nextId(), groupId, site, login, input }, making));
  // One parameter, however many rows; jsonb gives each field its column's type.
  const columns = Object.keys(rows[0]!) as (keyof (typeof rows)[0])[];
  const made = await inGroup(into, async (trx) =>
    trx
      .insertInto("accounts")
      .columns(columns)
      .expression((eb) => eb.selectFrom(recordset(rows)).select(columns.map((column) => sql.ref(`v.${column}`).as(column))))
      // Somebody may have been faster.
      .onConflict((conflict) => conflict.constraint("accounts_identity").doNothing())
      .returning(["site", "login"])
      .execute(),
  );
  return new Set(made.flatMap((row) => byKey.get(keyOf(row)) ?? []));
}

/** What a batch makes of the accounts that are there. */
interface Overwriting {
  rows: AccountRow[];
  /** Ids of those that sign in in another way now. */
  anew: string[];
  overwritten: number;
}

/** @returns how many */
async function overwriteKnown(into: Into, batch: readonly ImportRow[]): Promise<number> {
  if (batch.length === 0) return 0;
  const { db, groupId, making } = into;
  const before = await selectKnown(db, groupId, batch).selectAll("a").orderBy("a.id").execute();
  const planned = overwritten(before, batch, making);
  if (planned.rows.length === 0) return planned.overwritten;
  return inGroup(into, async (trx) => {
    await lockRequestsOfAccounts(trx, into.tenant, mayBeSwitched(before, batch));
    const locked = await selectKnown(trx, groupId, batch).selectAll("a").orderBy("a.id").forUpdate("a").execute();
    // Where somebody changed one in between, it is all done again with what is there now.
    const done = sameRows(before, locked) ? planned : overwritten(locked, batch, making);
    await updateAll(trx, done.rows);
    await askAgain(trx, done.anew);
    return done.overwritten;
  });
}

/** One after another, as if each row came in a call of its own. */
function overwritten(before: readonly AccountRow[], batch: readonly ImportRow[], making: Making): Overwriting {
  const known = new Map(before.map((row) => [keyOf(row), row]));
  const touched = new Map<string, AccountRow>();
  const anew = new Set<string>();
  let count = 0;
  for (const { key, input } of batch) {
    const row = known.get(key);
    if (!row) continue;
    const next = changedAccount(row, input, making);
    known.set(key, next.row);
    if (next.changed) touched.set(key, next.row);
    if (next.signsInAnew) anew.add(row.id);
    count += 1;
  }
  return { rows: [...touched.values()], anew: [...anew], overwritten: count };
}

/** Ids of those whose links may wait from now on, or wait no longer: whatever the accounts are by the time that they are locked. */
function mayBeSwitched(before: readonly AccountRow[], batch: readonly ImportRow[]): string[] {
  const keys = new Set(batch.filter(({ input }) => input.active != null).map(({ key }) => key));
  return before.filter((row) => keys.has(keyOf(row))).map(({ id }) => id);
}

const sameRows = (some: readonly AccountRow[], others: readonly AccountRow[]): boolean => JSON.stringify(some) === JSON.stringify(others);

/** A join, because the planner takes hundreds of pairs in a list for hundreds of conditions. */
function selectKnown(db: Db, groupId: string, batch: readonly ImportRow[]) {
  const pairs = JSON.stringify(batch.map(({ site, login }) => ({ site, login })));
  return db
    .selectFrom("accounts as a")
    .innerJoin(
      sql<AccountIdentity>`(select distinct site, login from jsonb_to_recordset(${pairs}::jsonb) as p(site text, login text))`.as("v"),
      (join) => join.onRef("v.site", "=", "a.site").onRef("v.login", "=", "a.login"),
    )
    .where("a.group_id", "=", groupId);
}

async function updateAll(trx: Db, rows: readonly AccountRow[]): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(changeable(first));
  const names = sql.join(columns.map((column) => sql.ref(column)));
  const values = sql.join(columns.map((column) => sql.ref(`v.${column}`)));
  await sql`update manager.accounts as a set (${names}) = (${values}) from ${recordset(rows)} where a.id = v.id`.execute(trx);
}

const recordset = (rows: readonly object[]) =>
  sql<AccountRow>`jsonb_populate_recordset(null::manager.accounts, ${JSON.stringify(rows)}::jsonb)`.as("v");
