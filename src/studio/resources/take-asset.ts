import type { Readable } from "node:stream";
import type { z } from "zod";
import type { podopsRoutes } from "../../contract/podops-api.ts";
import type { StudioContext } from "../context.ts";
import { lockProduction } from "../lock.ts";
import { etagOf } from "../media/names.ts";
import { orNoRoom } from "../media/room.ts";
import type { Processing } from "../processing.ts";
import type { AssetsTable } from "../schema.ts";
import { takeUpload } from "../uploads.ts";
import { assetUrl, refusalText } from "./answer.ts";
import { findAsset, guidOf, type ProductionRow } from "./find.ts";
import { showNextCover } from "./next-cover.ts";
import { blankRef, fileKindOf } from "./point-to.ts";
import { Rejected } from "./problems.ts";

interface Order {
  /** As it was sent. */
  name: string;
  /** As it was sent; what the file is, its content says. */
  type: string;
  stream: Readable;
}

type Uploaded = z.input<typeof podopsRoutes.upload.answer>;

interface Parts {
  context: StudioContext;
  processing: Processing;
}

/**
 * Keeps a file under its name. One of the same name is replaced: what points to it points to the new one.
 * @throws Rejected for a name that is none, or a file that is neither a recording nor a cover; Refused as an upload in the web studio,
 * 507 when the disk is full
 */
export async function takeAsset(parts: Parts, production: ProductionRow, { name, type, stream }: Order): Promise<Uploaded> {
  try {
    checkFileName(name);
  } catch (error) {
    stream.resume();
    throw error;
  }
  const kind = fileKindOf({ uri: name, type: type === "application/octet-stream" ? "" : type });
  const taken = await orNoRoom(parts.context, async () => takeUpload(parts.context, production.guid, { kind, fileName: name, stream }));
  return keepAs(parts, production, name, taken);
}

/** @throws Rejected 400 */
export function checkFileName(name: string): void {
  if (/^(?!\.)[A-Za-z0-9._-]{1,100}$/.test(name) && guidOf(name) === null) return;
  throw new Rejected(400, "The file's name has other than 1 to 100 ASCII letters, digits, dots, dashes and underscores.", [
    { path: "name", message: "has 1 to 100 ASCII letters, digits, dots, dashes and underscores, and is no GUID" },
  ]);
}

/** The same for a file that has arrived already. */
export async function keepAs(
  { context, processing }: Parts,
  production: ProductionRow,
  name: string,
  taken: AssetsTable,
): Promise<Uploaded> {
  if (taken.state === "processing") await processing.finish(taken);
  const ready = await context.db.selectFrom("assets").selectAll().where("guid", "=", taken.guid).executeTakeFirstOrThrow();
  if (ready.state !== "ready") {
    await context.db.deleteFrom("assets").where("guid", "=", taken.guid).execute();
    if (ready.state === "processing") throw new Error("the studio closes");
    throw new Rejected(400, refusalText(ready.problem ?? "audioBroken"));
  }
  const asset = await keepUnder(context, production, name, ready);
  await context.store.flush();
  return {
    guid: asset.guid,
    name,
    uri: assetUrl(context, asset),
    type: asset.mime,
    size: asset.bytes,
    etag: etagOf(asset.path),
    ...(asset.kind === "audio" && { duration: asset.seconds ?? 0 }),
  };
}

/** What had the name before keeps its GUID, and has the new content. */
async function keepUnder(context: StudioContext, { guid: parent }: ProductionRow, name: string, ready: AssetsTable): Promise<AssetsTable> {
  return context.db.transaction().execute(async (trx) => {
    await lockProduction(trx, parent);
    const before = await findAsset(trx, parent, name);
    // Sent again after a lost answer.
    if (before?.guid === ready.guid) return ready;
    if (!before) {
      const ref = { ...blankRef, asset: ready.guid, parent, name };
      await trx
        .insertInto("asset_refs")
        .values(ref)
        .onConflict((held) => held.column("asset").doUpdateSet({ name }))
        .execute();
      return ready;
    }
    if (before.kind !== ready.kind) {
      await trx.deleteFrom("assets").where("guid", "=", ready.guid).execute();
      throw new Rejected(400, `"${name}" is a ${before.kind === "audio" ? "recording" : "picture"} already, and this is none.`);
    }
    const { guid: _new, parent: _same, ...content } = ready;
    await trx.deleteFrom("assets").where("guid", "=", ready.guid).execute();
    await trx.updateTable("asset_refs").set({ rel: "local", uri: "", problem: "" }).where("asset", "=", before.guid).execute();
    await showNextCover(trx, before.guid);
    return trx.updateTable("assets").set(content).where("guid", "=", before.guid).returningAll().executeTakeFirstOrThrow();
  });
}
