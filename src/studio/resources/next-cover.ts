import type { ShowsTable, StudioDb } from "../schema.ts";

/** @param asset of this transaction's show: its cover from now on, or from when it has come. @returns what its row says then */
export async function coverColumns(trx: StudioDb, asset: string): Promise<Partial<Pick<ShowsTable, "cover" | "next_cover">>> {
  const { state } = await trx.selectFrom("assets").select("state").where("guid", "=", asset).executeTakeFirstOrThrow();
  return state === "ready" ? { cover: asset, next_cover: null } : { next_cover: asset };
}

/** A file has come: the show that waited for it has it as its cover. */
export async function showNextCover(trx: StudioDb, asset: string): Promise<void> {
  await trx.updateTable("shows").set({ cover: asset, next_cover: null }).where("next_cover", "=", asset).execute();
}
