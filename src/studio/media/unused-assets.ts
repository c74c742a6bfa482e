import { noteLostFiles } from "../builds.ts";
import type { StudioContext } from "../context.ts";
import type { StudioDb } from "../schema.ts";

/** An editor may stand open for so long before its upload is saved. */
const UNUSED_FOR_MS = 7 * 24 * 60 * 60_000;

/** Rows of files that were uploaded and never used, or whose episode is gone. One with a name is a resource, which only its owner deletes. */
export async function forgetUnusedAssets({ db, clock }: Pick<StudioContext, "db" | "clock">): Promise<void> {
  const before = new Date(clock.now() - UNUSED_FOR_MS);
  await db.transaction().execute(async (trx) => {
    const gone = await unusedAssets(trx, before).execute();
    // An episode may have changed its recording with nobody to build since: the feed still names the old one.
    if (gone.length > 0) await noteLostFiles(trx, [...new Set(gone.map(({ parent }) => parent))]);
  });
}

function unusedAssets(trx: StudioDb, before: Date) {
  return trx
    .deleteFrom("assets")
    .where("created_at", "<", before)
    .where("state", "in", ["ready", "refused"])
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("episodes").select("episodes.guid").whereRef("episodes.audio", "=", "assets.guid"))),
    )
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("episodes").select("episodes.guid").whereRef("episodes.cover", "=", "assets.guid"))),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("shows")
            .select("shows.guid")
            .where((eb) => eb.or([eb("shows.cover", "=", eb.ref("assets.guid")), eb("shows.next_cover", "=", eb.ref("assets.guid"))])),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("asset_refs")
            .select("asset")
            .whereRef("asset_refs.asset", "=", "assets.guid")
            .where("asset_refs.name", "is not", null),
        ),
      ),
    )
    .returning("parent");
}
