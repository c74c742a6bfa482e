import type { Updateable } from "kysely";
import { failures, isFailureCode } from "../contract/failures.ts";
import type { Caller } from "./caller.ts";
import type { ApiErrorCode } from "./errors.ts";
import { heldStates, isHeld, leaseFrom, stateAt } from "./lease.ts";
import { noteOfAll, withPosted } from "./posted.ts";
import type { LinkRow, ManagerTables } from "./tables.ts";

/** What a call does to a task: change it, nothing (it was so already), or a refusal. Decided here without touching anything. */
export type Move =
  | { readonly change: Updateable<ManagerTables["links"]> }
  | { readonly repeated: true }
  | { readonly refuse: ApiErrorCode };

export interface CompleteOrder {
  link_post: string;
  note?: string | undefined;
  about?: string | undefined;
  link_profile?: string | undefined;
  is_indexed?: boolean | undefined;
}

export interface FailOrder {
  error_message: string;
  code?: string | undefined;
  /** False: never again. Absent: the code's row in the failures table decides. */
  retry?: boolean | undefined;
  /** The episodes that are on the site all the same, by their ids. */
  posted?: Readonly<Record<string, string>> | undefined;
}

const REPEATED: Move = { repeated: true };
const MINUTE_MS = 60_000;
const LONGEST_PAUSE_MS = 24 * 60 * MINUTE_MS;

const held = (caller: Caller): Pick<LinkRow, "holder" | "server_id" | "server_name"> => ({
  holder: caller.holder,
  server_id: caller.keyId,
  server_name: caller.name,
});

/** Claims what nobody holds and is not paused, renews what the caller holds. */
export function start(link: LinkRow, caller: Caller, now: Date): Move {
  if (isHeld(link, now) && link.holder !== caller.holder) return { refuse: "task_claimed" };
  const state = stateAt(link, now);
  if (!isHeld(link, now) && (state !== "waiting" || link.paused)) return { refuse: "bad_transition" };
  const startedBy = link.started_by.includes(caller.holder) ? link.started_by : [...link.started_by, caller.holder];
  return {
    change: {
      ...held(caller),
      state: state === "waiting" || state === "claimed" ? "running" : state,
      started_by: JSON.stringify(startedBy),
      started_at: link.started_at ?? now,
      lease_until: leaseFrom(now),
      next_at: null,
    },
  };
}

/**
 * That an episode is on the site is a fact, whoever says it: while the task runs from anybody, later from everybody who ever
 * ran it, also when the task was canceled, failed or handed on meanwhile. Facts don't contradict each other, so a second
 * complete has to name the same link.
 */
export function complete(link: LinkRow, order: CompleteOrder, caller: Caller, now: Date): Move {
  const found = foundOut(link, order);
  if (link.state === "completed") {
    if (link.link_post !== order.link_post) return { refuse: "link_post_differs" };
    return Object.keys(found).length > 0 ? { change: found } : REPEATED;
  }
  const runs = isHeld(link, now) && link.state !== "claimed";
  if (!runs && !link.started_by.includes(caller.holder)) return { refuse: "bad_transition" };
  return {
    change: {
      ...held(caller),
      state: "completed",
      link_post: order.link_post,
      note: noteOfAll(link, order.note ?? ""),
      ...found,
      error_message: "",
      failure_code: null,
      completed_at: now,
      lease_until: null,
      next_at: null,
    },
  };
}

const learned = ["about", "link_profile", "is_indexed"] as const;

/** What of the page and its profile was not known so: some of it shows only long after the post. */
function foundOut(link: LinkRow, order: CompleteOrder): Partial<Pick<LinkRow, (typeof learned)[number]>> {
  return Object.fromEntries(
    learned.flatMap((field) => (order[field] === undefined || order[field] === link[field] ? [] : [[field, order[field]]])),
  );
}

/** A secondary is finished by whoever pulled it: it need not have been started. Else as `complete`. */
export function insert(link: LinkRow, order: CompleteOrder, caller: Caller, now: Date): Move {
  if (link.kind !== "secondary") return { refuse: "bad_transition" };
  const begun = link.holder === caller.holder ? { ...link, started_by: [...link.started_by, caller.holder] } : link;
  return complete(begun, order, caller, now);
}

/** Only the holder may give a task up; after 1, 2 and 4 minutes it is handed out again, the fourth failure is the last. */
export function fail(link: LinkRow, order: FailOrder, caller: Caller, now: Date): Move {
  const mine = link.holder === caller.holder;
  if (isHeld(link, now) && !mine) return { refuse: "task_claimed" };
  // The answer to its own report was lost, so the holder says it again.
  const gaveUp = link.state === "waiting" || link.state === "failed";
  if (mine && gaveUp && link.error_message === order.error_message) return REPEATED;
  // A holder whose lease ran out may still give up what nobody else has taken.
  if (!mine || !heldStates.includes(link.state)) return { refuse: "bad_transition" };
  const posted = withPosted(link, order.posted);
  const isMore = posted.length > link.posted.length;
  const word = {
    error_message: order.error_message,
    failure_code: order.code ?? null,
    lease_until: null,
    ...(isMore && { posted: JSON.stringify(posted), note: noteOfAll({ posted }, "") }),
  };
  if (isFinal(order) || link.retry_count >= link.max_retries) return { change: { ...word, state: "failed", next_at: null } };
  return {
    change: {
      ...word,
      state: "waiting",
      retry_count: link.retry_count + 1,
      next_at: new Date(now.getTime() + Math.min(MINUTE_MS * 2 ** link.retry_count, LONGEST_PAUSE_MS)),
    },
  };
}

function isFinal({ retry, code = "" }: FailOrder): boolean {
  if (retry !== undefined) return !retry;
  return isFailureCode(code) && failures[code].retry === "never";
}

/**
 * Ends what is not completed; the farm learns of it when it re-reads the task. Until then it may be about to post, so the lease stays:
 * nobody else may have the task meanwhile, whatever becomes of it.
 */
export function cancel(link: LinkRow): Move {
  if (link.state === "completed") return { refuse: "bad_transition" };
  return link.state === "canceled" ? REPEATED : { change: { state: "canceled", next_at: null } };
}
