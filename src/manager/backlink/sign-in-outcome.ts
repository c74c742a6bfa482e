import type { Transaction } from "kysely";
import type { AccountRow, ManagerTables } from "../tables.ts";

/** What a refused sign-in leaves in the account's note, unless a person wrote one. */
const NOTE = "The sign-in failed: ";

export interface SignInOutcome {
  ok: boolean;
  error_message?: string | undefined;
}

/**
 * What a farm's sign-in says of its account, whether it was a check's or a task's. An account that its owner switched off stays so. The
 * caller holds the account's lock.
 */
export async function noteSignIn(
  trx: Transaction<ManagerTables>,
  { id, status, note }: Pick<AccountRow, "id" | "status" | "note">,
  { ok, error_message = "" }: SignInOutcome,
  now: Date,
): Promise<void> {
  const ours = note === "" || note.startsWith(NOTE);
  await trx
    .updateTable("accounts")
    .set({
      ...(status !== "inactive" && { status: ok ? "active" : "failed" }),
      ...(ours && { note: ok ? "" : NOTE + error_message }),
      updated_at: now,
    })
    .where("id", "=", id)
    .execute();
}
