import type { z } from "zod";
import {
  assetInput,
  episodeInput,
  kindAliases,
  showInput,
  type Kind,
  type Resource,
  type ShowInput,
} from "../../contract/podops-resource.ts";
import { laterBuild } from "../builds.ts";
import type { StudioContext } from "../context.ts";
import { openEpisodes } from "../episodes.ts";
import { lockProduction } from "../lock.ts";
import { assetResource, episodeResource, showResource } from "./answer.ts";
import { assetRows, findAsset, findEpisode, findShow, type AssetRow, type Owner, type ProductionRow } from "./find.ts";
import { problemsOf, refuseProblems, Rejected, type Problem } from "./problems.ts";
import type { Mode } from "./save-call.ts";
import { saveAsset } from "./save-asset.ts";
import { saveEpisode } from "./save-episode.ts";
import { drawFirstCover, saveShow } from "./save-show.ts";

const inputs = { show: showInput, episode: episodeInput, asset: assetInput } as const;
const savers = { show: saveShow, episode: saveEpisode, asset: saveAsset } as const;

export interface SaveOrder {
  owner: NonNullable<Owner>;
  production: ProductionRow;
  /** As the address has it. */
  kind: string;
  id: string;
  mode: Mode;
  body: unknown;
}

/** @returns what there is then. @throws Rejected with all that is wrong with it */
export async function saveResource(context: StudioContext, { kind: alias, body, ...order }: SaveOrder): Promise<Resource> {
  const kind = kindOf(alias);
  const problems: Problem[] = [];
  const said = (body as { kind?: unknown } | null)?.kind;
  const known = typeof said === "string" ? kindAliases[said] : kind;
  if (known !== kind) problems.push({ path: "kind", message: `is not the address's (${kind})` });
  const plain = typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body, kind } : body;
  const parsed: z.ZodSafeParseResult<unknown> = inputs[kind].safeParse(plain, { reportInput: true });
  if (parsed.error) problems.push(...problemsOf(parsed.error));
  const drawn = kind === "show" && parsed.data ? await drawFirstCover(context, order.production, parsed.data as ShowInput) : null;
  const guid = await context.db.transaction().execute(async (trx) => {
    await lockProduction(trx, order.production.guid);
    // A change of what is out is in the feed with the next build.
    await laterBuild(trx);
    const call = { context, trx, ...order, input: parsed.data ?? null, drawn, problems };
    const saved = await savers[kind](call as never);
    refuseProblems(problems, `The ${kind} can't be saved`);
    return saved;
  });
  await context.store.flush();
  return readResource(context, order.production, kind, guid);
}

/** @throws Rejected 404 */
export async function readResource(context: StudioContext, production: ProductionRow, alias: string, id: string): Promise<Resource> {
  const { db } = context;
  const kind = kindOf(alias);
  if (kind === "asset") {
    const row = await findAsset(db, production.guid, id);
    if (row) return assetResource(context, row);
  }
  const show = await findShow(db, production);
  if (show && kind === "show" && [show.guid, show.name].includes(id))
    return showResource(context, show, production, await filesOf(context, production, [show.next_cover, show.cover]));
  if (show && kind === "episode") {
    const row = await findEpisode(db, openEpisodes(context), show, id);
    if (row) return episodeResource(context, show, row, await filesOf(context, production, [row.cover, row.audio]));
  }
  throw new Rejected(404, `There is no such ${kind}.`);
}

export async function filesOf(
  { db }: StudioContext,
  { guid }: ProductionRow,
  guids: readonly (string | null)[],
): Promise<ReadonlyMap<string, AssetRow>> {
  const wanted = guids.flatMap((one) => one ?? []);
  const rows = wanted.length === 0 ? [] : await assetRows(db, guid).where("assets.guid", "in", wanted).execute();
  return new Map(rows.map((row) => [row.guid, row]));
}

/** @throws Rejected 404 */
export function kindOf(alias: string): Kind {
  const kind = kindAliases[alias];
  if (!kind) throw new Rejected(404, `There is no kind of resource called "${alias}".`);
  return kind;
}
