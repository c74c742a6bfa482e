import type { Kysely, Transaction } from "kysely";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";

type Trx = Transaction<ManagerTables>;

/**
 * What a running request uses is not deleted: deleting an account deletes its links, and the work of a farm with them.
 * @throws ApiError conflict
 */
export async function refuseWorkOnGroup(trx: Trx, groupId: string): Promise<void> {
  const requests = await lockRequestsOfGroup(trx, groupId);
  const running = requests.find(({ status }) => status === "running");
  if (running) throw new ApiError("conflict", `the request "${running.name}" runs on this group; stop it first`);
}

/**
 * All requests whose links go, or change, with the group are locked before accounts and links are, as whoever reports about a link
 * locks them.
 */
export async function lockRequestsOfGroup(trx: Trx, groupId: string) {
  return trx
    .selectFrom("requests as r")
    .select(["r.name", "r.status"])
    .where(({ eb, or }) =>
      or([
        eb("r.group_id", "=", groupId),
        eb(
          "r.id",
          "in",
          eb
            .selectFrom("links as l")
            .innerJoin("accounts as a", "a.id", "l.account_id")
            .select("l.request_id")
            .where("a.group_id", "=", groupId),
        ),
      ]),
    )
    .orderBy("r.id")
    .forUpdate("r")
    .execute();
}

/** Before the accounts themselves are locked, in a transaction that deletes them, or switches them on or off. */
export async function lockRequestsOfAccounts(trx: Trx, tenant: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .selectFrom("requests as r")
    .select("r.id")
    .where("r.id", "in", (eb) =>
      eb
        .selectFrom("links as l")
        .innerJoin("accounts as a", "a.id", "l.account_id")
        .innerJoin("groups as g", "g.id", "a.group_id")
        .select("l.request_id")
        .where("g.user_id", "=", tenant)
        .where("l.account_id", "in", ids),
    )
    .orderBy("r.id")
    .forUpdate("r")
    .execute();
}

/** Those of the accounts that a running request posts to. */
export async function accountsAtWork(db: Kysely<ManagerTables>, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .selectFrom("links as l")
    .innerJoin("requests as r", "r.id", "l.request_id")
    .select("l.account_id")
    .distinct()
    .where("l.account_id", "in", ids)
    .where("r.status", "=", "running")
    .execute();
  return new Set(rows.map(({ account_id }) => account_id));
}

export const AT_WORK = "a running request posts to the account; stop it first";
