import type { StudioContext } from "../context.ts";

/** An editor may stand open for so long before its upload is saved. */
const UNUSED_FOR_MS = 7 * 24 * 60 * 60_000;

/** Rows of files that were uploaded and never used, or whose episode is gone. One with a name is a resource, which only its owner deletes. */
export async function forgetUnusedAssets({ db, clock }: Pick<StudioContext, "db" | "clock">): Promise<void> {
  await db
    .deleteFrom("assets")
    .where("created_at", "<", new Date(clock.now() - UNUSED_FOR_MS))
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
    .execute();
}
