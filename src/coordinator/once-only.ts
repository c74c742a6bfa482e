import type { Database } from "./tables.ts";

/** A TOTP time step is used once per seed, whoever asks. @returns false when it was taken before */
export async function takeTotpStep(db: Database, seedHash: string, step: number, now: Date): Promise<boolean> {
  const row = await db
    .insertInto("totp_steps")
    .values({ seed_hash: seedHash, step, taken_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning("step")
    .executeTakeFirst();
  return row !== undefined;
}

/** A mailed code is used once. @returns false when it was taken before */
export async function takeMailedCode(db: Database, codeHash: string, now: Date): Promise<boolean> {
  const row = await db
    .insertInto("mailed_codes")
    .values({ code_hash: codeHash, taken_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning("code_hash")
    .executeTakeFirst();
  return row !== undefined;
}

const KEPT_MS = 7 * 24 * 3600_000;

/** Steps and codes of last week can't come back: the sites themselves refuse them by then. */
export async function forgetOld(db: Database, now: Date): Promise<void> {
  const before = new Date(now.getTime() - KEPT_MS);
  await db.deleteFrom("totp_steps").where("taken_at", "<", before).execute();
  await db.deleteFrom("mailed_codes").where("taken_at", "<", before).execute();
}
