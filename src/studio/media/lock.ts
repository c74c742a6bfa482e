import { sql } from "kysely";
import type { StudioDb } from "../schema.ts";

/** Any number that no other lock of the studio's has. */
const MEDIA_LOCK = 7_226_551;

/** Until the end of the transaction: who makes a row for a file shares it, who finds that a file is nobody's has it alone. */
export async function lockMedia(trx: StudioDb, how: "shared" | "alone"): Promise<void> {
  const lock = how === "shared" ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`;
  await sql`select ${lock}(${sql.lit(MEDIA_LOCK)})`.execute(trx);
}
