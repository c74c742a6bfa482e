import { sql, type Kysely, type Transaction } from "kysely";
import { UsageError } from "../../kit/config.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import { audit, onTheMachine } from "./audit.ts";

type Trx = Transaction<ManagerTables>;

/** Credits of an owner: the sum of a ledger whose rows are only ever added. */
export async function balanceOf(db: Kysely<ManagerTables>, tenant: string): Promise<number> {
  const { sum } = await db
    .selectFrom("credits")
    .select(sql<string>`coalesce(sum(amount), 0)`.as("sum"))
    .where("user_id", "=", tenant)
    .executeTakeFirstOrThrow();
  return Number(sum);
}

/**
 * @param amount may be negative: a correction, which takes no more than there is
 * @returns the new balance
 * @throws UsageError
 */
export async function grant(
  db: Kysely<ManagerTables>,
  { id: tenant, email }: { id: string; email: string },
  amount: number,
  note: string,
  now: Date,
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    await lockCredits(trx, tenant);
    const balance = (await balanceOf(trx, tenant)) + amount;
    if (amount < 0 && balance < 0)
      throw new UsageError(
        `${email} has ${balance - amount} credits; ${-amount} can't be taken back. Credits of requests come free when those are stopped.`,
      );
    await trx.insertInto("credits").values({ at: now, user_id: tenant, amount, kind: "grant", request_id: null, note }).execute();
    const what = `${amount} credits for ${email}${note && `: ${note}`}`;
    await audit(trx, onTheMachine(tenant), { action: "credits.add", what }, now);
    return balance;
  });
}

/** Whoever takes credits waits for whoever does so already: two that see the same balance would both spend it. */
async function lockCredits(trx: Trx, tenant: string): Promise<void> {
  await trx.selectFrom("users").select("id").where("id", "=", tenant).forNoKeyUpdate().executeTakeFirst();
}

/**
 * Brings what a request holds of its owner's credits to `due`: takes the difference, or gives it back. Repeating it changes nothing.
 * @param mustBeThere false for what is on a site already: that is charged, whatever is left
 * @throws ApiError payment_required
 */
export async function settle(
  trx: Trx,
  { tenant, requestId, due, note, mustBeThere }: { tenant: string; requestId: string; due: number; note: string; mustBeThere: boolean },
  now: Date,
): Promise<void> {
  await lockCredits(trx, tenant);
  const { sum } = await trx
    .selectFrom("credits")
    .select(sql<string>`coalesce(sum(amount), 0)`.as("sum"))
    .where("request_id", "=", requestId)
    .executeTakeFirstOrThrow();
  const more = due + Number(sum);
  if (more === 0) return;
  if (more > 0 && mustBeThere) {
    const balance = await balanceOf(trx, tenant);
    if (balance < more) throw new ApiError("payment_required", `${more} are needed, and ${balance} are left`);
  }
  const kind = more < 0 ? "refund" : mustBeThere ? "reserve" : "charge";
  await trx.insertInto("credits").values({ at: now, user_id: tenant, amount: -more, kind, request_id: requestId, note }).execute();
}
