import { sql } from "kysely";
import type { StudioContext } from "./context.ts";

/** Tries that are this old are forgotten, ms. */
const MEMORY_MS = 60 * 60_000;

/**
 * Counts a try before it is judged, so that many at once get no more than the allowed ones.
 * @returns false while the account is locked, or when too many tries are under way
 */
export async function beginTry({ db, clock, edges }: StudioContext, email: string): Promise<boolean> {
  const now = new Date(clock.now());
  const row = await db
    .insertInto("login_attempts")
    .values({ email, failures: 1, last_at: now, locked_until: null })
    .onConflict((conflict) =>
      conflict.column("email").doUpdateSet((eb) => ({
        failures: sql<number>`case
          when ${eb.ref("login_attempts.locked_until")} > ${now} then ${eb.ref("login_attempts.failures")}
          when ${eb.ref("login_attempts.locked_until")} is not null or ${eb.ref("login_attempts.last_at")} < ${new Date(clock.now() - MEMORY_MS)} then 1
          else ${eb.ref("login_attempts.failures")} + 1 end`,
        locked_until: sql<Date | null>`case when ${eb.ref("login_attempts.locked_until")} > ${now} then ${eb.ref("login_attempts.locked_until")} end`,
        last_at: now,
      })),
    )
    .returning(["failures", "locked_until"])
    .executeTakeFirstOrThrow();
  return row.locked_until === null && row.failures <= edges.lockAfter;
}

/** A try was wrong. @returns true when it was the last one: the account is locked now. */
export async function endWrongTry({ db, clock, edges }: StudioContext, email: string): Promise<boolean> {
  const locked = await db
    .updateTable("login_attempts")
    .set({ locked_until: new Date(clock.now() + edges.lockMs) })
    .where("email", "=", email)
    .where("failures", ">=", edges.lockAfter)
    .executeTakeFirst();
  return locked.numUpdatedRows > 0n;
}

export async function endRightTry({ db }: StudioContext, email: string): Promise<void> {
  await db.deleteFrom("login_attempts").where("email", "=", email).execute();
}

/** A try that was right so far and is not the end of the way: as if it had not been, all before it stays counted. */
export async function forgetTry({ db }: StudioContext, email: string): Promise<void> {
  await db
    .updateTable("login_attempts")
    .set({ failures: sql<number>`greatest(failures - 1, 0)` })
    .where("email", "=", email)
    .execute();
}
