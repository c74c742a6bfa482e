import type { TaskState } from "../contract/states.ts";
import type { LinkRow } from "./tables.ts";

/** How long a task belongs to its holder after the holder's last call about it, ms. */
export const LEASE_MS = 15 * 60_000;

/** Somebody works on it, as long as the lease lasts. */
export const heldStates: readonly TaskState[] = ["claimed", "running", "needs_person", "unsure"];

export function leaseFrom(now: Date): Date {
  return new Date(now.getTime() + LEASE_MS);
}

/** What the task is at this moment: a lease that ran out makes it waiting again, without anybody having to write that down. */
export function stateAt(link: Pick<LinkRow, "state" | "lease_until">, now: Date): TaskState {
  const leaseIsOut = heldStates.includes(link.state) && (!link.lease_until || link.lease_until <= now);
  return leaseIsOut ? "waiting" : link.state;
}

export function isHeld(link: Pick<LinkRow, "state" | "lease_until">, now: Date): boolean {
  return heldStates.includes(stateAt(link, now));
}
