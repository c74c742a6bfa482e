import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { StudioContext } from "../context.ts";
import { newToken } from "../ids.ts";
import type { MediaStore } from "./store.ts";

/** Lies beside the media and says whose they are. */
export const OWNER_FILE = "owner.json";

/**
 * Claims the media store for this studio's database, if nobody has. Two studios that share a place would take each other's files for
 * nobody's. Of a store in layers each is claimed by itself: what was ours on the disk says nothing of the bucket.
 * @returns whether all of it is ours
 */
export async function claimStore(context: StudioContext): Promise<boolean> {
  const id = await ownId(context);
  for (const place of context.media.layers ?? [context.media]) {
    if ((await ownerOf(place)) === null) await write(place, context.uploadDir, id);
    if ((await ownerOf(place)) !== id) return false;
  }
  return true;
}

async function ownId({ db }: StudioContext): Promise<string> {
  await db
    .insertInto("media_owner")
    .values({ id: newToken().slice(0, 22) })
    .onConflict((conflict) => conflict.column("one").doNothing())
    .execute();
  return (await db.selectFrom("media_owner").select("id").executeTakeFirstOrThrow()).id;
}

async function ownerOf(media: MediaStore): Promise<string | null> {
  const stream = await media.read(OWNER_FILE);
  if (!stream) return null;
  const { owner } = JSON.parse(await text(stream)) as { owner?: unknown };
  return String(owner);
}

async function write(media: MediaStore, uploadDir: string, owner: string): Promise<void> {
  const content = `${JSON.stringify({ owner, say: "The media of a Podcrew studio; its database knows this id." })}\n`;
  const fromPath = join(uploadDir, `${newToken()}.part`);
  try {
    await writeFile(fromPath, content, { mode: 0o600, flush: true });
    const sha256 = createHash("sha256").update(content).digest("hex");
    await media.put({ name: OWNER_FILE, fromPath, bytes: Buffer.byteLength(content), sha256 });
  } finally {
    await rm(fromPath, { force: true });
  }
}
