import { z } from "zod";
import type { ShowInput } from "../../contract/podops-resource.ts";
import type { StudioContext } from "../context.ts";
import type { AssetsTable, ShowsTable } from "../schema.ts";
import { categories, drawCover } from "../shows.ts";
import { addressed, checkName } from "./address.ts";
import type { ShowDetails } from "./details.ts";
import { findShow, guidOf, type ProductionRow } from "./find.ts";
import { coverColumns } from "./next-cover.ts";
import { pointTo } from "./point-to.ts";
import type { Problem } from "./problems.ts";
import { checkMode, type SaveCall } from "./save-call.ts";

const isYes = (text: string | undefined): boolean => /^(true|yes)$/i.test(text ?? "");

/** Makes a production's show, or changes it. @returns its GUID, which is the production's */
export async function saveShow(call: SaveCall<ShowInput>): Promise<string> {
  const { context, trx, owner, production, id, mode, input, drawn, problems } = call;
  const before = await findShow(trx, production);
  const { guid, name: said } = addressed(id, "show", input?.metadata ?? {}, problems);
  if (guid !== null && guid !== production.guid)
    problems.push({ path: "metadata.guid", message: `a show has its production's (${production.guid})` });
  checkMode(mode, before !== null, problems);
  if (before && guidOf(id) === null && id !== before.name)
    problems.push({ path: "id", message: `is not the show's name (${before.name}); to rename it, PUT to its GUID` });
  const name = said ?? before?.name ?? production.name;
  await checkShowName(trx, name, before, problems);
  if (!input) return production.guid;
  checkCategory(input, problems);
  const now = new Date(context.clock.now());
  const fields = fieldsOf(input, owner.email, await ownerName(trx, owner.id));
  const cover =
    input.image && (await pointTo(context, trx, input.image, { parent: production.guid, kind: "cover", path: "image" }, problems));
  if (problems.length > 0) return production.guid;
  const row = { ...fields, podcast_guid: fields.podcast_guid ?? before?.podcast_guid ?? null, name, updated_at: now };
  if (before) await trx.updateTable("shows").set(row).where("guid", "=", production.guid).execute();
  else
    await trx
      .insertInto("shows")
      .values({ ...row, guid: production.guid, parent: production.guid, locked: false, imported_from: null, cover: null, created_at: now })
      .execute();
  if (drawn && !before?.cover) await trx.insertInto("assets").values(drawn).execute();
  const chosen = cover || (before?.cover ? null : drawn?.guid);
  if (chosen)
    await trx
      .updateTable("shows")
      .set(await coverColumns(trx, chosen))
      .where("guid", "=", production.guid)
      .execute();
  const { title, description: summary } = fields;
  await trx.updateTable("productions").set({ title, summary }).where("guid", "=", production.guid).execute();
  return production.guid;
}

/**
 * Directories refuse a show without a cover. Drawn ahead of the transaction, which must not wait for a media store.
 * @returns null where the show has one, or is given one
 */
export async function drawFirstCover(context: StudioContext, production: ProductionRow, input: ShowInput): Promise<AssetsTable | null> {
  if (input.image) return null;
  const show = await findShow(context.db, production);
  if (show?.cover || show?.next_cover) return null;
  return drawCover(context, production.guid, input.description.title.trim(), show?.name ?? production.name);
}

async function ownerName(trx: SaveCall<ShowInput>["trx"], id: string): Promise<string> {
  return (await trx.selectFrom("accounts").select("name").where("id", "=", id).executeTakeFirst())?.name ?? "";
}

async function checkShowName(trx: SaveCall<ShowInput>["trx"], name: string, before: ShowsTable | null, problems: Problem[]): Promise<void> {
  if (name === before?.name) return;
  checkName(name, problems);
  if (before && (await isPublished(trx, before.parent)))
    problems.push({ path: "metadata.name", message: `can't change once something is published: it is in the feed's address` });
  if (await trx.selectFrom("shows").select("guid").where("name", "=", name).executeTakeFirst())
    problems.push({ path: "metadata.name", message: "is taken; choose another name" });
}

/** Under the lock: what the caller knows of the production may be older than a build. */
async function isPublished(trx: SaveCall<ShowInput>["trx"], production: string): Promise<boolean> {
  const row = await trx.selectFrom("productions").select("published").where("guid", "=", production).executeTakeFirst();
  return row?.published ?? false;
}

function checkCategory({ description }: ShowInput, problems: Problem[]): void {
  const known: readonly string[] = categories;
  const wrong = [description.category ?? []].flat().filter(({ name }) => !known.includes(name));
  for (const { name } of wrong)
    problems.push({ path: "description.category.name", message: `"${name}" is none of Apple's: ${categories.join(", ")}` });
}

/** The columns. What is not said is as the web studio would fill it in. */
function fieldsOf({ metadata, description }: ShowInput, email: string, accountName: string) {
  const { labels, tags = [], date } = metadata;
  const { title, summary, link, category, owner, author, copyright = "", newFeed } = description;
  const [first] = [category ?? []].flat();
  const details: ShowDetails = {
    labels,
    tags,
    link: link?.uri ?? "",
    ...(category && { category }),
    ownerName: owner?.name ?? "",
    copyright,
    newFeed: newFeed?.uri ?? "",
    type: /^serial$/i.test(labels.type ?? "") ? "serial" : "episodic",
    block: isYes(labels.block),
    complete: isYes(labels.complete),
    date: date?.toUTCString() ?? "",
  };
  return {
    title: title.trim(),
    description: summary,
    language: labels.language ?? "en",
    author: (author ?? owner?.name ?? "").trim() || accountName,
    owner_email: owner?.email || (z.email().safeParse(email).success ? email : ""),
    category: first?.name ?? "Society & Culture",
    explicit: isYes(labels.explicit),
    podcast_guid: labels.guid ?? null,
    details: JSON.stringify(details),
  };
}
