import type { Transaction } from "kysely";
import { ApiError } from "../errors.ts";
import type { ManagerTables, RequestRow } from "../tables.ts";
import { afterMove } from "./after-move.ts";
import { lockOwned, type RequestKey } from "./request-life.ts";
import { requeue, type Requeued } from "./requeue.ts";
import { settleRequest } from "./settle-request.ts";

type Trx = Transaction<ManagerTables>;

/**
 * One more try, also beyond max_retries.
 * @throws ApiError not_found; conflict when it has not failed, or its request is stopped; payment_required
 */
export async function retryLink(trx: Trx, key: RequestKey, linkId: string, now: Date): Promise<void> {
  const request = await lockGoing(trx, key);
  const { state } = await lockLink(trx, request.id, linkId);
  if (state !== "failed") throw new ApiError("conflict", "only a link that has failed can be tried again");
  const requeued = await requeue(trx, request, { states: ["failed"], linkId }, now);
  if (requeued.primaries + requeued.secondaries === 0)
    throw new ApiError(
      "conflict",
      "another account has posted its episodes or is about to, or its own account is on another site by now; nothing more was ordered",
    );
  await goOn(trx, request, requeued, now);
}

/** @returns how many are queued again @throws ApiError not_found; conflict when the request is stopped; payment_required */
export async function retryLinks(trx: Trx, key: RequestKey, now: Date): Promise<number> {
  const request = await lockGoing(trx, key);
  const requeued = await requeue(trx, request, { states: ["failed"] }, now);
  await goOn(trx, request, requeued, now);
  return requeued.primaries + requeued.secondaries;
}

/** Of what is stopped nothing is handed out: whoever wants it to go on says so of the whole. @throws ApiError not_found, conflict */
async function lockGoing(trx: Trx, key: RequestKey): Promise<RequestRow> {
  const request = await lockOwned(trx, key);
  if (request.status === "stopped") throw new ApiError("conflict", "the request is stopped; restart it first");
  return request;
}

/** What had ended runs again, when links bring units again: an import of what is posted already is none. */
async function goOn(trx: Trx, request: RequestRow, { primaries }: Requeued, now: Date): Promise<void> {
  if (primaries === 0) return;
  if (request.status !== "running")
    await trx
      .updateTable("requests")
      .set({ status: "running", completed_at: null, updated_at: now })
      .where("id", "=", request.id)
      .execute();
  await settleRequest(trx, request.id, now, { mustBeThere: true });
}

/** A farm that has it stops. What is on its site stays paid. @throws ApiError not_found */
export async function deleteLink(trx: Trx, key: RequestKey, linkId: string, now: Date): Promise<void> {
  const request = await lockOwned(trx, key);
  await lockLink(trx, request.id, linkId);
  await trx.deleteFrom("links").where("id", "=", linkId).execute();
  await afterMove(trx, { requestId: request.id }, now);
}

async function lockLink(trx: Trx, requestId: string, linkId: string) {
  const link = await trx
    .selectFrom("links")
    .select("state")
    .where("id", "=", linkId)
    .where("request_id", "=", requestId)
    .forUpdate()
    .executeTakeFirst();
  if (!link) throw new ApiError("not_found");
  return link;
}
