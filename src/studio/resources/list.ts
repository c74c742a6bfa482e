import type { Resource } from "../../contract/podops-resource.ts";
import type { StudioContext } from "../context.ts";
import { openEpisodes } from "../episodes.ts";
import { assetResource, episodeResource, showResource } from "./answer.ts";
import { assetRows, findShow, type ProductionRow } from "./find.ts";
import { kindOf } from "./save.ts";

/** @param alias a kind in any form, or "all" */
export async function listResources(context: StudioContext, production: ProductionRow, alias: string): Promise<Resource[]> {
  const kinds = alias === "all" ? ["show", "episode", "asset"] : [kindOf(alias)];
  const { db } = context;
  const rows = await assetRows(db, production.guid).orderBy("assets.created_at", "desc").orderBy("assets.guid").execute();
  const files = new Map(rows.map((row) => [row.guid, row]));
  const show = await findShow(db, production);
  const found: Resource[] = [];
  if (show && kinds.includes("show")) found.push(showResource(context, show, production, files));
  if (show && kinds.includes("episode"))
    found.push(...(await openEpisodes(context).listAll(show)).map((row) => episodeResource(context, show, row, files)));
  if (kinds.includes("asset")) found.push(...rows.map((row) => assetResource(context, row)));
  return found;
}
