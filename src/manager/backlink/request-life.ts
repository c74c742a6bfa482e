import type { Transaction } from "kysely";
import type { ServiceType } from "../../contract/backlink-api.ts";
import { ApiError } from "../errors.ts";
import type { GroupRow, ManagerTables, RequestRow } from "../tables.ts";
import { endWhenDone } from "./after-move.ts";
import { openPhases } from "./link-status.ts";
import { makeWork, type EpisodesOfContent } from "./make-work.ts";
import { requeue } from "./requeue.ts";
import { settleRequest } from "./settle-request.ts";

type Trx = Transaction<ManagerTables>;

/** Whose request, and which. */
export interface RequestKey {
  tenant: string;
  /** null: of any type. */
  type: ServiceType | null;
  id: string;
}

/** Every change of a request begins with its lock. @throws ApiError not_found */
export async function lockOwned(trx: Trx, { tenant, type, id }: RequestKey): Promise<RequestRow> {
  const request = await trx
    .selectFrom("requests")
    .selectAll()
    .where("id", "=", id)
    .where("user_id", "=", tenant)
    .$if(type !== null, (query) => query.where("service_type", "=", type ?? ""))
    .forUpdate()
    .executeTakeFirst();
  if (!request) throw new ApiError("not_found");
  return request;
}

type Group = Pick<GroupRow, "name" | "status">;

/** Its group too, which nobody deletes meanwhile; the group first, as whoever deletes it goes on to its requests. */
async function lockWithGroup(trx: Trx, key: RequestKey): Promise<{ request: RequestRow; group: Group | undefined }> {
  const group = await trx
    .selectFrom("groups as g")
    .innerJoin("requests as r", "r.group_id", "g.id")
    .select(["g.name", "g.status"])
    .where("r.id", "=", key.id)
    .where("r.user_id", "=", key.tenant)
    .forKeyShare("g")
    .executeTakeFirst();
  return { request: await lockOwned(trx, key), group };
}

/** @throws ApiError conflict */
function refuseInactive(group: Group | undefined): void {
  if (group?.status === "inactive") throw new ApiError("conflict", `the group "${group.name}" is inactive; make it active first`);
}

async function setStatus(trx: Trx, { id, started_at }: RequestRow, status: RequestRow["status"], now: Date): Promise<void> {
  await trx
    .updateTable("requests")
    .set({ status, completed_at: null, updated_at: now, ...(status === "running" && { started_at: started_at ?? now }) })
    .where("id", "=", id)
    .execute();
}

/** Makes the work of what is pending; one that runs goes on running. @throws ApiError conflict, also for an inactive group; unprocessable */
export async function startRequest(trx: Trx, key: RequestKey, episodesOfContent: EpisodesOfContent, now: Date): Promise<void> {
  const { request, group } = await lockWithGroup(trx, key);
  if (request.status === "running") return;
  if (request.status !== "pending") throw new ApiError("conflict", `the request is ${request.status}; restart goes on with it`);
  refuseInactive(group);
  await makeWork(trx, request, episodesOfContent, now);
  await setStatus(trx, request, "running", now);
}

/**
 * Cancels what is open, and gives back what was reserved for it. A link that a farm holds keeps its lease: the farm has not heard of
 * it yet, and until then nobody else may have it, whatever becomes of the request. One that is completed stays so: its imports are
 * all that can be open. @throws ApiError conflict when it has ended, and nothing is open
 */
export async function stopRequest(trx: Trx, key: RequestKey, now: Date): Promise<void> {
  const request = await lockOwned(trx, key);
  if (request.status === "stopped") return;
  const goesOn = request.status === "pending" || request.status === "running";
  if (!goesOn && request.status !== "completed") throw new ApiError("conflict", `the request is ${request.status}`);
  const { numUpdatedRows: canceled } = await trx
    .updateTable("links")
    .set({ state: "canceled", next_at: null, updated_at: now })
    .where("request_id", "=", request.id)
    .where("phase", "in", openPhases)
    .executeTakeFirst();
  if (!goesOn && canceled === 0n) throw new ApiError("conflict", `the request is ${request.status}`);
  if (!goesOn) return;
  await setStatus(trx, request, "stopped", now);
  await settleRequest(trx, request.id, now);
}

/**
 * Queues its failed and canceled links again; one that was stopped before its start is started.
 * @throws ApiError conflict when nothing can be queued, or the group is inactive; payment_required; unprocessable
 */
export async function restartRequest(trx: Trx, key: RequestKey, episodesOfContent: EpisodesOfContent, now: Date): Promise<void> {
  const { request, group } = await lockWithGroup(trx, key);
  if (request.status === "pending") throw new ApiError("conflict", "the request was not started yet");
  refuseInactive(group);
  if (request.started_at === null) await makeWork(trx, request, episodesOfContent, now);
  else await queueAllAgain(trx, request, now);
  await setStatus(trx, request, "running", now);
  await endWhenDone(trx, { ...request, status: "running" }, now);
  await settleRequest(trx, request.id, now, { mustBeThere: true });
}

async function queueAllAgain(trx: Trx, request: RequestRow, now: Date): Promise<void> {
  const { primaries, secondaries } = await requeue(trx, request, { states: ["failed", "canceled"] }, now);
  if (primaries + secondaries === 0) throw new ApiError("conflict", "there is no failed or canceled link that could be queued again");
}

/** What is on its site stays paid, the rest is given back; farms that have its links stop. */
export async function deleteRequest(trx: Trx, key: RequestKey, now: Date): Promise<void> {
  const request = await lockOwned(trx, key);
  await setStatus(trx, request, "stopped", now);
  await settleRequest(trx, request.id, now);
  await trx.deleteFrom("requests").where("id", "=", request.id).execute();
}
