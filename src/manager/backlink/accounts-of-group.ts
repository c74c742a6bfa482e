import { randomUUID } from "node:crypto";
import { sql, type Kysely, type Transaction } from "kysely";
import { isUuid } from "../../kit/uuid.ts";
import { refusingTwins } from "../accounts.ts";
import { ApiError } from "../errors.ts";
import type { AccountRow, ManagerTables } from "../tables.ts";
import {
  changeable,
  changedAccount,
  identityOf,
  newAccount,
  type AccountChange,
  type AccountInput,
  type Making,
} from "./account-record.ts";
import { askAgain } from "./checks.ts";
import { openStates } from "./link-status.ts";
import { AT_WORK, accountsAtWork, lockRequestsOfAccounts } from "./running-work.ts";
import { notFound } from "./tenant.ts";

type Db = Kysely<ManagerTables>;
type Trx = Transaction<ManagerTables>;
export type OwnAccount = AccountRow & { service_type: string };

/** An owner's accounts. */
export function accountsOf(db: Db, tenant: string) {
  return db
    .selectFrom("accounts as a")
    .innerJoin("groups as g", "g.id", "a.group_id")
    .where("g.user_id", "=", tenant)
    .selectAll("a")
    .select("g.service_type");
}

/** @throws ApiError not_found */
export async function findAccount(db: Db, tenant: string, id: string): Promise<OwnAccount> {
  return accountsOf(db, tenant).where("a.id", "=", id).executeTakeFirstOrThrow(notFound);
}

/** @returns its id. @throws ApiError not_found, account_exists, and for what it can't be made of */
export async function createAccount(db: Db, tenant: string, groupId: string, input: AccountInput, making: Making): Promise<string> {
  const id = randomUUID();
  const row = newAccount({ id, groupId, ...identityOf(input), input }, making);
  await db.transaction().execute(async (trx) => {
    // It stays until the account is in it.
    await trx
      .selectFrom("groups")
      .select("id")
      .where("id", "=", groupId)
      .where("user_id", "=", tenant)
      .forKeyShare()
      .executeTakeFirstOrThrow(notFound);
    const made = await trx
      .insertInto("accounts")
      .values(row)
      .onConflict((conflict) => conflict.constraint("accounts_identity").doNothing())
      .executeTakeFirst();
    if (made.numInsertedOrUpdatedRows !== 1n) throw new ApiError("account_exists");
  });
  return id;
}

/** @throws ApiError not_found; account_exists; conflict when it would leave a site on which a running request posts */
export async function changeAccount(db: Db, tenant: string, id: string, change: AccountChange, making: Making): Promise<void> {
  await refusingTwins(async () =>
    db.transaction().execute(async (trx) => {
      // Its links wait, or wait no longer.
      if (change.active != null) await lockRequestsOfAccounts(trx, tenant, [id]);
      const before = await lockAccount(trx, tenant, id);
      const { row, signsInAnew } = changedAccount(before, change, making);
      if (row.site !== before.site) await refuseMove(trx, id);
      await trx.updateTable("accounts").set(changeable(row)).where("id", "=", id).execute();
      if (signsInAnew) await askAgain(trx, [id]);
    }),
  );
}

/** Its open links are for the site where it is, also those of a request that has ended. @throws ApiError conflict */
async function refuseMove(trx: Trx, id: string): Promise<void> {
  if ((await accountsAtWork(trx, [id])).size > 0) throw new ApiError("conflict", AT_WORK);
  const open = await trx.selectFrom("links").select("id").where("account_id", "=", id).where("state", "in", openStates).executeTakeFirst();
  if (open)
    throw new ApiError("conflict", `the link ${open.id} of the account is still open, and for the site where it is; delete it first`);
}

/** @throws ApiError not_found; conflict while a running request posts to it */
export async function deleteAccount(trx: Trx, tenant: string, id: string): Promise<void> {
  const [done] = await deleteAccounts(trx, tenant, [id]);
  if (!done?.ok) throw done?.message === AT_WORK ? new ApiError("conflict", AT_WORK) : notFound();
}

export interface Deleted {
  id: string;
  ok: boolean;
  message?: string;
}

/** @param ids whatever was given for one  @returns what became of each */
export async function deleteAccounts(trx: Trx, tenant: string, ids: readonly string[]): Promise<Deleted[]> {
  const own = new Set(await lockAccounts(trx, tenant, ids.filter(isUuid)));
  const busy = await accountsAtWork(trx, [...own]);
  const gone = [...own].filter((id) => !busy.has(id));
  if (gone.length > 0) await trx.deleteFrom("accounts").where("id", "in", gone).execute();
  return ids.map((id) => {
    const key = id.toLowerCase();
    if (!own.has(key)) return { id, ok: false, message: "There is no such account." };
    return busy.has(key) ? { id, ok: false, message: AT_WORK } : { id, ok: true };
  });
}

/** @returns those that are the owner's */
async function lockAccounts(trx: Trx, tenant: string, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  await lockGroupsOf(trx, tenant, ids);
  await lockRequestsOfAccounts(trx, tenant, ids);
  const own = await accountsOf(trx, tenant).clearSelect().select("a.id").where("a.id", "in", ids).orderBy("a.id").forUpdate("a").execute();
  return own.map(({ id }) => id);
}

/** Groups come first, then requests, then accounts: whoever locks some of them does it in this order. */
async function lockGroupsOf(trx: Trx, tenant: string, accountIds: readonly string[]): Promise<void> {
  await trx
    .selectFrom("groups as g")
    .select("g.id")
    .where("g.user_id", "=", tenant)
    .where("g.id", "in", (eb) => eb.selectFrom("accounts as a").select("a.group_id").where("a.id", "in", accountIds))
    .orderBy("g.id")
    .forShare("g")
    .execute();
}

/**
 * Whoever makes or queues work locks its accounts as well, and then looks where they are. So nothing starts on this one while it moves:
 * who is later sees what the first has done.
 */
async function lockAccount(trx: Trx, tenant: string, id: string): Promise<OwnAccount> {
  return accountsOf(trx, tenant).where("a.id", "=", id).forUpdate("a").executeTakeFirstOrThrow(notFound);
}

/** On how many sites an owner's active accounts are. @param type null: of all services */
export async function countSites(db: Db, tenant: string, type: string | null): Promise<number> {
  const { count } = await db
    .selectFrom("accounts as a")
    .innerJoin("groups as g", "g.id", "a.group_id")
    .select(sql<number>`count(distinct a.site)`.as("count"))
    .where("g.user_id", "=", tenant)
    .where("a.status", "=", "active")
    .$if(type !== null, (accounts) => accounts.where("g.service_type", "=", type ?? ""))
    .executeTakeFirstOrThrow();
  return count;
}
