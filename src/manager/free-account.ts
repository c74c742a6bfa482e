import { sql, type RawBuilder } from "kysely";
import type { Caller } from "./caller.ts";
import { heldStates } from "./lease.ts";

/**
 * Nobody but the caller has a task or a check of the account at the moment: one that is signed in at two places at once is soon locked.
 *
 * Subqueries of their own for each row: as a join the database might begin with all that is held. And `is not true`, since it takes
 * that for as likely as not; of `is null` it thinks that hardly a row is so, and reads the whole line at once.
 * @param account the column that has its id
 */
export function isFree(account: string, { holder }: Pick<Caller, "holder">, now: Date): RawBuilder<boolean> {
  const others = sql`b.account_id = ${sql.ref(account)} and b.lease_until > ${now} and b.holder <> ${holder}`;
  return sql<boolean>`coalesce(
    (select true from manager.links b where ${others} and b.state in (${sql.join(heldStates)}) limit 1),
    (select true from manager.account_checks b where ${others} and b.state = 'claimed' limit 1)) is not true`;
}
