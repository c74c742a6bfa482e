import type { StudioDb } from "./schema.ts";

/**
 * One writer at a time for each production, to the end of the transaction: what it looked at is still so when it writes. Taken before
 * anything else, so that no two wait for each other. Files may come in meanwhile: their rows only point to the production's.
 */
export async function lockProduction(trx: StudioDb, guid: string): Promise<void> {
  await trx.selectFrom("productions").select("guid").where("guid", "=", guid).forNoKeyUpdate().execute();
}
