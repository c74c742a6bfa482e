import type { EpisodeRow, Episodes } from "../episodes.ts";
import { guidPattern } from "../ids.ts";
import type { AccountsTable, AssetRefsTable, AssetsTable, ProductionsTable, ShowsTable, StudioDb } from "../schema.ts";
import { Rejected } from "./problems.ts";

export interface ProductionRow extends ProductionsTable {
  /** Its owner's e-mail. */
  owner: string;
}

/** Whose productions are seen: the account of a token's subject; null: it has none as yet. */
export type Owner = Pick<AccountsTable, "id" | "email"> | null;

function productions(db: StudioDb, owner: Owner) {
  return db
    .selectFrom("productions")
    .innerJoin("accounts", "accounts.id", "productions.owner_id")
    .selectAll("productions")
    .select("accounts.email as owner")
    .where("productions.owner_id", "=", owner?.id ?? "");
}

export async function listProductions(db: StudioDb, owner: Owner): Promise<ProductionRow[]> {
  return productions(db, owner).orderBy("productions.created_at").orderBy("productions.guid").execute();
}

/** @param id GUID or name @throws Rejected 404, also where it is somebody else's */
export async function findProduction(db: StudioDb, owner: Owner, id: string): Promise<ProductionRow> {
  const row = await productions(db, owner)
    .where((eb) => eb.or([eb("productions.guid", "=", id), eb("productions.name", "=", id)]))
    // A name may look like another one's GUID.
    .orderBy((eb) => eb.case().when("productions.guid", "=", id).then(0).else(1).end())
    .executeTakeFirst();
  if (!row) throw new Rejected(404, "There is no such production.");
  return row;
}

export async function findShow(db: StudioDb, production: Pick<ProductionsTable, "guid">): Promise<ShowsTable | null> {
  return (await db.selectFrom("shows").selectAll().where("parent", "=", production.guid).executeTakeFirst()) ?? null;
}

/** @param id GUID or name */
export async function findEpisode(db: StudioDb, episodes: Episodes, show: ShowsTable, id: string): Promise<EpisodeRow | null> {
  const row = await db
    .selectFrom("episodes")
    .select("guid")
    .where("parent", "=", show.guid)
    .where((eb) => eb.or([eb("guid", "=", guidOf(id) ?? ""), eb("name", "=", id)]))
    .orderBy((eb) => eb.case().when("guid", "=", id).then(0).else(1).end())
    .executeTakeFirst();
  return row ? episodes.get(show, row.guid) : null;
}

/** The name under which the API shows what was made without one: `episode-<guid>`. */
export function nameOf(row: { name: string | null; guid: string }, kind: string): string {
  return row.name ?? `${kind}-${row.guid}`;
}

/** @returns a GUID that stands in a made-up name, or is one itself; null: it is a name */
export function guidOf(id: string): string | null {
  const guid = /^(?:episode-|asset-)?([0-9a-f]{12})$/.exec(id)?.[1] ?? null;
  return guid !== null && guidPattern.test(guid) ? guid : null;
}

/** A file with what the API says of it. */
export type AssetRow = AssetsTable & {
  [Key in Exclude<keyof AssetRefsTable, "asset" | "parent" | "problem">]: AssetRefsTable[Key] | null;
} & {
  fetchProblem: string | null;
};

/** The files of a production. */
export function assetRows(db: StudioDb, production: string) {
  return db
    .selectFrom("assets")
    .leftJoin("asset_refs as ref", "ref.asset", "assets.guid")
    .selectAll("assets")
    .select(["ref.name", "ref.rel", "ref.uri", "ref.labels", "ref.tags", "ref.tries", "ref.not_before", "ref.problem as fetchProblem"])
    .where("assets.parent", "=", production);
}

/** @param id GUID or name */
export async function findAsset(db: StudioDb, production: string, id: string): Promise<AssetRow | null> {
  const row = await assetRows(db, production)
    .where((eb) => eb.or([eb("assets.guid", "=", guidOf(id) ?? ""), eb("ref.name", "=", id)]))
    .orderBy((eb) => eb.case().when("assets.guid", "=", id).then(0).else(1).end())
    .executeTakeFirst();
  return row ?? null;
}
