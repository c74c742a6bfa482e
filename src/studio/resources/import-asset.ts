import type { StudioContext } from "../context.ts";
import { lockProduction } from "../lock.ts";
import { checkName } from "./address.ts";
import { assetAnswer } from "./answer.ts";
import { findAsset, nameOf, type ProductionRow } from "./find.ts";
import { fileKindOf, pointTo } from "./point-to.ts";
import { refuseProblems, type Problem } from "./problems.ts";

interface Order {
  /** http(s) */
  uri: string;
  name?: string | undefined;
}

/** Has a file fetched in the background; one address is one asset, however often it is asked for. @throws Rejected for a bad name */
export async function importAsset(context: StudioContext, production: ProductionRow, { uri, name }: Order) {
  const problems: Problem[] = [];
  if (name !== undefined && !/^(?!\.)[A-Za-z0-9._-]{1,100}$/.test(name))
    problems.push({ path: "name", message: "has 1 to 100 ASCII letters, digits, dots, dashes and underscores" });
  checkName(name ?? null, problems, "name");
  refuseProblems(problems, "The file can't be imported");
  const guid = await context.db.transaction().execute(async (trx) => {
    await lockProduction(trx, production.guid);
    const target = { parent: production.guid, kind: fileKindOf({ uri }), path: "uri" };
    const found = (await pointTo(context, trx, { uri, rel: "import" }, target, problems)) ?? "";
    const taken = name && (await findAsset(trx, production.guid, name));
    if (taken && taken.guid !== found) problems.push({ path: "name", message: "is another asset's; choose another name" });
    refuseProblems(problems, "The file can't be imported");
    if (name) await trx.updateTable("asset_refs").set({ name }).where("asset", "=", found).execute();
    return found;
  });
  await context.store.flush();
  const row = await findAsset(context.db, production.guid, guid);
  if (!row) throw new Error(`the asset ${guid} is gone as soon as it is made`);
  return { guid, name: nameOf(row, "asset"), uri, state: assetAnswer(context, row).state };
}
