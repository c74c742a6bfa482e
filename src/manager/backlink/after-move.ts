import { sql, type Transaction } from "kysely";
import type { FailureCode } from "../../contract/failures.ts";
import type { ManagerTables, RequestRow } from "../tables.ts";
import { anyOf } from "../any-of.ts";
import { noteIndexed } from "./indexed.ts";
import { openPhases } from "./link-status.ts";
import { noteSignIn } from "./sign-in-outcome.ts";
import { settleRequest } from "./settle-request.ts";
import { takeOver } from "./take-over.ts";
import { isOpen } from "./units.ts";

type Trx = Transaction<ManagerTables>;

/**
 * A change of links begins with this: the request first, then its links, then its owner's credits, so that no two changes wait
 * for each other for ever.
 */
export async function lockRequest(trx: Trx, id: string): Promise<RequestRow | undefined> {
  return trx.selectFrom("requests").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

/**
 * What follows for a request from a change of its links, in the transaction of the change: who takes over, whether it has ended,
 * what it owes. A request that belongs to nobody only gets its status. Repeating it changes nothing.
 * @param linkId the link that moved; absent: links were deleted
 */
export async function afterMove(trx: Trx, { requestId, linkId }: { requestId: string; linkId?: string }, now: Date): Promise<void> {
  const request = await lockRequest(trx, requestId);
  if (!request) return;
  if (linkId !== undefined) await noteRefusal(trx, linkId, now);
  if (linkId !== undefined && request.user_id !== null && request.service_type === "podcast") await passOn(trx, request, linkId, now);
  // What was ordered is that the page gets there.
  if (linkId !== undefined && request.service_type === "indexing") await noteIndexed(trx, linkId, now);
  await endWhenDone(trx, request, now);
  await settleRequest(trx, requestId, now);
}

/**
 * The site refused the account's name or password: whoever chooses accounts leaves it out, until other secrets or a check bring it
 * back. Before somebody takes over, so that nobody takes the same one.
 */
async function noteRefusal(trx: Trx, linkId: string, now: Date): Promise<void> {
  const refused = await trx
    .selectFrom("links as l")
    .innerJoin("accounts as a", "a.id", "l.account_id")
    .select(["a.id", "a.status", "a.note", "l.error_message"])
    .where("l.id", "=", linkId)
    .where("l.state", "=", "failed")
    .where("l.failure_code", "=", "account.refused" satisfies FailureCode)
    .forUpdate("a")
    .executeTakeFirst();
  if (refused) await noteSignIn(trx, refused, { ok: false, error_message: refused.error_message }, now);
}

async function passOn(trx: Trx, request: RequestRow, linkId: string, now: Date): Promise<void> {
  const link = await trx.selectFrom("links").selectAll().where("id", "=", linkId).where("kind", "=", "primary").executeTakeFirst();
  if (link?.state === "failed" && request.status === "running") await takeOver(trx, request, link, now);
  // It was completed after another account had taken over: its episodes are on the site, and must not get there twice.
  if (link?.state === "completed") await cancelOpen(trx, request.id, now, { site: link.site, ids: link.episodes.map(({ id }) => id) });
}

/** Ends what runs when its target is reached or nothing more can come. The caller holds the lock. */
export async function endWhenDone(trx: Trx, { id, status, target, user_id }: RequestRow, now: Date): Promise<void> {
  if (status !== "running" && status !== "failed") return;
  const { done, open } = await trx
    .selectFrom("requests as r")
    .select(["r.done_units as done", isOpen.as("open")])
    .where("r.id", "=", id)
    .executeTakeFirstOrThrow();
  const reached = user_id !== null && done >= target;
  if (status === "running" && open && !reached) return;
  const ended = done > 0 ? "completed" : "failed";
  if (ended === status) return;
  await trx
    .updateTable("requests")
    .set({ status: ended, completed_at: ended === "completed" ? now : null, updated_at: now })
    .where("id", "=", id)
    .execute();
  // Nothing beyond the target was ordered.
  if (reached && open) await cancelOpen(trx, id, now);
}

/**
 * Primaries only: secondaries import what was posted, also afterwards. Leases stay, as when a request is stopped.
 * @param of only those on a site that have one of these episodes
 */
async function cancelOpen(trx: Trx, requestId: string, now: Date, of?: { site: string; ids: readonly string[] }): Promise<void> {
  await trx
    .updateTable("links as l")
    .set({ state: "canceled", next_at: null, updated_at: now })
    .where("l.request_id", "=", requestId)
    .where("l.kind", "=", "primary")
    .where("l.phase", "in", openPhases)
    .$if(of !== undefined, (query) =>
      query
        .where("l.site", "=", of?.site ?? "")
        .where(sql<boolean>`exists (select from jsonb_array_elements(l.episodes) e where e ->> 'id' = ${anyOf(of?.ids ?? [])})`),
    )
    .execute();
}
