import type { Transaction } from "kysely";
import { noteLostFiles } from "../builds.ts";
import type { StudioContext } from "../context.ts";
import { openEpisodes } from "../episodes.ts";
import { lockProduction } from "../lock.ts";
import type { StudioTables } from "../schema.ts";
import { findAsset, findEpisode, findShow, type ProductionRow } from "./find.ts";
import { refuseProblems, Rejected } from "./problems.ts";
import { kindOf } from "./save.ts";

/** What was published of it stays in the history. @returns whether a feed has lost something. @throws Rejected 404 */
export async function removeResource(context: StudioContext, production: ProductionRow, alias: string, id: string): Promise<boolean> {
  const kind = kindOf(alias);
  return context.db.transaction().execute(async (trx) => {
    await lockProduction(trx, production.guid);
    if (kind === "asset") return removeAsset(trx, production, id);
    const show = await findShow(trx, production);
    if (kind === "show" && show && [show.guid, show.name].includes(id)) {
      await trx.deleteFrom("shows").where("guid", "=", show.guid).execute();
      await trx.updateTable("productions").set({ published: false }).where("guid", "=", production.guid).execute();
      return false;
    }
    const episode = kind === "episode" && show ? await findEpisode(trx, openEpisodes({ ...context, db: trx }), show, id) : null;
    if (!episode) throw new Rejected(404, `There is no such ${kind}.`);
    await trx.deleteFrom("episodes").where("guid", "=", episode.guid).execute();
    return episode.state === "published";
  });
}

async function removeAsset(trx: Transaction<StudioTables>, production: ProductionRow, id: string): Promise<boolean> {
  const asset = await findAsset(trx, production.guid, id);
  if (!asset) throw new Rejected(404, "There is no such asset.");
  const users = await trx
    .selectFrom("episodes")
    .select("guid as user")
    .where((eb) => eb.or([eb("audio", "=", asset.guid), eb("cover", "=", asset.guid)]))
    .union(
      trx
        .selectFrom("shows")
        .select("guid as user")
        .where((eb) => eb.or([eb("cover", "=", asset.guid), eb("next_cover", "=", asset.guid)])),
    )
    .execute();
  refuseProblems(
    users.map(({ user }) => ({ path: "", message: `${user} points to it` })),
    "The asset can't be deleted",
  );
  await trx.deleteFrom("assets").where("guid", "=", asset.guid).execute();
  await noteLostFiles(trx, [production.guid]);
  return false;
}
