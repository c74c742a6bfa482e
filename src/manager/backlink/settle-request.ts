import type { Kysely, Transaction } from "kysely";
import type { RequestStatus } from "../../contract/backlink-api.ts";
import { settle } from "../people/credits.ts";
import type { ManagerTables } from "../tables.ts";
import { creditsHeld } from "./units.ts";

interface Priced {
  status: RequestStatus;
  auction_price: number;
  target: number;
  done_units: number;
  spent_credits: number;
}

/**
 * What a request has to hold: what came, each unit at the price of its time, and while more may come, that at the price of now.
 * So a new price or target of one that stands still moves no credits before its restart.
 */
function creditsDue({ status, auction_price, target, done_units, spent_credits }: Priced): number {
  const goesOn = status === "pending" || status === "running";
  return spent_credits + (goesOn ? auction_price * Math.max(0, target - done_units) : 0);
}

/**
 * Brings the ledger to what the request has to hold now; call it after every change of its status, price, target or links.
 * Repeating it changes nothing. The caller holds the request's lock.
 * @param mustBeThere true for new work, false for what is on a site already: that is charged, whatever is left
 * @throws ApiError payment_required
 */
export async function settleRequest(
  trx: Transaction<ManagerTables>,
  requestId: string,
  now: Date,
  { mustBeThere = false }: { mustBeThere?: boolean } = {},
): Promise<void> {
  const request = await readPriced(trx, requestId);
  // Only a difference has to wait for the owner's other changes.
  if (!request?.user_id || request.held === creditsDue(request)) return;
  const { user_id: tenant, name: note } = request;
  await settle(trx, { tenant, requestId, due: creditsDue(request), note, mustBeThere }, now);
}

async function readPriced(trx: Kysely<ManagerTables>, requestId: string) {
  return trx
    .selectFrom("requests as r")
    .select(["r.user_id", "r.name", "r.status", "r.auction_price", "r.target", "r.done_units", "r.spent_credits", creditsHeld.as("held")])
    .where("r.id", "=", requestId)
    .executeTakeFirst();
}
