import type { AssetInput } from "../../contract/podops-resource.ts";
import { addressed, checkName } from "./address.ts";
import { findAsset } from "./find.ts";
import { blankRef, fileKindOf, pointTo } from "./point-to.ts";
import { checkMode, type SaveCall } from "./save-call.ts";

/** Makes a file that is elsewhere an asset, or names one that is here. @returns its GUID */
export async function saveAsset({ context, trx, production, id, mode, input, problems }: SaveCall<AssetInput>): Promise<string> {
  const { guid: asked, name } = addressed(id, "asset", input?.metadata ?? {}, problems);
  const before = await findAsset(trx, production.guid, id);
  checkMode(mode, before !== null, problems);
  checkName(name, problems);
  const holder = before && name !== null ? await findAsset(trx, production.guid, name) : null;
  if (before && holder && holder.guid !== before.guid)
    problems.push({ path: "metadata.name", message: "is another asset's; choose another name" });
  if (!before && asked !== null) problems.push({ path: "id", message: "a file's GUID is made when it comes; give it a name" });
  if (!input) return before?.guid ?? "";
  const target = { parent: production.guid, kind: before?.kind ?? fileKindOf(input.enclosure), path: "enclosure" };
  const guid = await pointTo(context, trx, input.enclosure, target, problems);
  if (guid === null || problems.length > 0) return before?.guid ?? "";
  if (before && before.guid !== guid) {
    problems.push({ path: "enclosure.uri", message: "is another file's; upload under this name, or make another asset" });
    return before.guid;
  }
  const { labels, tags = [] } = input.metadata;
  const said = { ...(name !== null && { name }), labels: JSON.stringify(labels), tags: JSON.stringify(tags) };
  await trx
    .insertInto("asset_refs")
    .values({ ...blankRef, asset: guid, parent: production.guid, ...said })
    .onConflict((conflict) => conflict.column("asset").doUpdateSet(said))
    .execute();
  return guid;
}
