import type { LocalAccountRow } from "./tables.ts";

/** A local task as the ledger knows it: each attempt is a task of its own, so that no report of an earlier one ends a later one. */
export interface LocalAttempt {
  id: number;
  /** From 1. */
  attempt: number;
}

export function ledgerIdOf({ id, attempt }: LocalAttempt): string {
  return `local:${id}.${attempt}`;
}

/** null: it is none of ours. */
export function readLedgerId(taskId: string): LocalAttempt | null {
  const match = /^local:(\d{1,10})\.(\d{1,9})$/.exec(taskId);
  return match ? { id: Number(match[1]), attempt: Number(match[2]) } : null;
}

/**
 * What the ledger tells an account's episodes apart by; where no manager's id does: of what no import changes, and the same again for
 * one that was removed and brought back.
 */
export function accountIdOf({ account_id: id, host, login }: Pick<LocalAccountRow, "account_id" | "host" | "login">): string {
  return id || `${host}/${login.toLowerCase()}`;
}
