import { sql } from "kysely";
import type { AssetRef } from "../../contract/podops-resource.ts";
import type { StudioContext } from "../context.ts";
import { newGuid } from "../ids.ts";
import type { AssetRefsTable, AssetsTable, StudioDb } from "../schema.ts";
import { assetRows, guidOf, type AssetRow } from "./find.ts";
import type { Problem } from "./problems.ts";

type FileKind = AssetsTable["kind"];

const words: Readonly<Record<FileKind, string>> = { audio: "recording", cover: "picture" };
const typesByEnding: Readonly<Record<string, string>> = {
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  mp4: "audio/mp4",
  wav: "audio/wav",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
};

/** As a name or an address says it; "" where it does not. */
export function typeByEnding(uri: string): string {
  const path = URL.parse(uri)?.pathname ?? uri;
  return typesByEnding[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? "";
}

/** What a file is to be, as its type or its ending says. */
export function fileKindOf({ uri, type = "" }: { uri: string; type?: string | undefined }): FileKind {
  return /^image\//i.test(type || typeByEnding(uri)) ? "cover" : "audio";
}

interface Target {
  /** Of the production. */
  parent: string;
  kind: FileKind;
  /** Where the pointer stands, "enclosure". */
  path: string;
  /** Of a recording that stays elsewhere, where the pointer does not say it, s. */
  seconds?: number | undefined;
}

/**
 * Finds or makes the row of the file that a resource points to. What is to be imported is not here as yet: its row waits.
 * @param problems where there is no such file, it is said here
 * @returns its GUID; null where there is a problem
 */
export async function pointTo(
  context: StudioContext,
  db: StudioDb,
  ref: AssetRef,
  target: Target,
  problems: Problem[],
): Promise<string | null> {
  if (ref.rel === "local") return pointToLocal(context, db, ref, target, problems);
  const known = await findRef(db, ref, target);
  if (ref.rel === "external") return pointToExternal(context, db, ref, target, known, problems);
  if (!known) return insert(context, db, target, emptyFile, ref);
  if (known.state === "refused" || (known.state === "waiting" && known.fetchProblem)) await fetchAgain(db, known.guid);
  return known.guid;
}

/** By its name, its GUID or the address that an upload answered. */
async function pointToLocal(context: StudioContext, db: StudioDb, { uri }: AssetRef, { parent, kind, path }: Target, problems: Problem[]) {
  const own = uri.startsWith(`${context.publicUrl}/media/`) ? uri.slice(context.publicUrl.length) : uri;
  const file = own.replace(/^\/?(?:media\/)?/, "");
  const found = await assetRows(db, parent)
    .where((eb) =>
      eb.or([
        eb("assets.guid", "=", guidOf(uri) ?? ""),
        eb("ref.name", "=", uri),
        eb.and([eb("assets.path", "=", file), eb("assets.path", "<>", "")]),
      ]),
    )
    .orderBy((eb) => eb.case().when("ref.name", "=", uri).then(0).else(1).end())
    .orderBy("assets.created_at", "desc")
    .execute();
  const row = found.find((one) => one.kind === kind) ?? found[0];
  if (!row) problems.push({ path: `${path}.uri`, message: `there is no asset "${uri}"; upload it first` });
  else if (row.kind !== kind) problems.push({ path: `${path}.uri`, message: `is a ${words[row.kind]}, and no ${words[kind]}` });
  else if (row.state === "refused") problems.push({ path: `${path}.uri`, message: `the file can't be used as a ${words[kind]}` });
  else return row.guid;
  return null;
}

async function pointToExternal(
  context: StudioContext,
  db: StudioDb,
  ref: AssetRef,
  target: Target,
  known: AssetRow | null,
  problems: Problem[],
): Promise<string | null> {
  const type = ref.type || typeByEnding(ref.uri);
  const { kind, path } = target;
  if (!type.startsWith(kind === "audio" ? "audio/" : "image/"))
    problems.push({
      path: `${path}.type`,
      message: `${type ? `is not that of a ${words[kind]}` : "is needed"}: such as ${kind === "audio" ? "audio/mpeg" : "image/jpeg"}`,
    });
  if (kind === "audio" && !ref.size)
    problems.push({ path: `${path}.size`, message: "is needed for a recording that stays elsewhere: feeds say it" });
  // 0 is what answers say where nobody knows.
  const seconds = ref.duration || target.seconds || null;
  const file = { path: ref.uri, mime: type, bytes: ref.size ?? 0, seconds, state: "ready" as const };
  if (!known) return insert(context, db, target, file, ref);
  await db.updateTable("assets").set(file).where("guid", "=", known.guid).execute();
  return known.guid;
}

async function findRef(db: StudioDb, { uri, rel }: AssetRef, { parent, kind }: Target): Promise<AssetRow | null> {
  const row = await assetRows(db, parent)
    .where("ref.uri", "=", uri)
    // Its index: an address may be longer than one takes.
    .where(sql<string>`md5(ref.uri)`, "=", sql<string>`md5(${uri})`)
    .where("ref.rel", "=", rel)
    .where("assets.kind", "=", kind)
    .orderBy("assets.created_at")
    .executeTakeFirst();
  return row ?? null;
}

const emptyFile = { path: "", mime: "", bytes: 0, seconds: null, state: "waiting" } as const;

async function insert(
  context: StudioContext,
  db: StudioDb,
  { parent, kind }: Target,
  { mime, ...file }: Pick<AssetsTable, "path" | "mime" | "bytes" | "seconds" | "state">,
  { uri, rel, type = "" }: AssetRef,
): Promise<string> {
  const guid = newGuid();
  const file_name = (URL.parse(uri)?.pathname.split("/").at(-1) ?? "").slice(0, 255);
  const now = new Date(context.clock.now());
  await db
    .insertInto("assets")
    .values({ ...file, guid, parent, kind, file_name, mime: mime || type, problem: null, created_at: now })
    .execute();
  await db
    .insertInto("asset_refs")
    .values({ ...blankRef, asset: guid, parent, rel, uri })
    .execute();
  return guid;
}

/** What the API says of a file, before it was told anything. */
export const blankRef: Omit<AssetRefsTable, "asset" | "parent"> = {
  name: null,
  rel: "local",
  uri: "",
  labels: "{}",
  tags: "[]",
  tries: 0,
  not_before: null,
  problem: "",
};

/** Somebody asks once more for what could not be fetched: it does not rest any longer. */
async function fetchAgain(db: StudioDb, guid: string): Promise<void> {
  await db.updateTable("assets").set({ state: "waiting", problem: null }).where("guid", "=", guid).execute();
  await db.updateTable("asset_refs").set({ tries: 0, not_before: null, problem: "" }).where("asset", "=", guid).execute();
}
