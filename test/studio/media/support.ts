import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import Fastify from "fastify";
import { systemClock, type Clock } from "../../../src/kit/clock.ts";
import type { StudioContext } from "../../../src/studio/context.ts";
import { openDiskStore } from "../../../src/studio/media/disk.ts";
import type { MediaFile, MediaStore, NewFile } from "../../../src/studio/media/store.ts";
import { addPartRoutes } from "../../../src/studio/media/upload-parts.ts";
import { createMetrics } from "../../../src/studio/metrics.ts";
import { migrations } from "../../../src/studio/migrations.ts";
import { Refused } from "../../../src/studio/refused.ts";
import type { StudioTables } from "../../../src/studio/schema.ts";
import { givenPglite, silentLog, type Given } from "../../support/store.ts";
import { tempDir } from "../../support/temp.ts";

export const showGuid = "0123456789ab";

/** What the media work with: a database with one show in it, a store, a folder for uploads. No listener. */
export async function givenMedia(
  t: TestContext,
  options: { given?: Given; clock?: Clock; media?: (folder: string) => MediaStore } = {},
): Promise<{ context: StudioContext; folder: string; given: Given }> {
  const given = options.given ?? (await givenPglite(t));
  await given.store.migrate("studio", migrations);
  const [folder, uploadDir] = [join(given.dataDir, "studio", "media"), join(given.dataDir, "studio", "uploads")];
  for (const one of [folder, uploadDir]) await mkdir(one, { recursive: true });
  const db = given.store.part<StudioTables>("studio");
  const now = new Date();
  const account = {
    id: "maya",
    email: "maya@example.com",
    name: "Maya",
    password_hash: "-",
    second_factor: "none",
    totp_sealed: null,
  } as const;
  await db
    .insertInto("accounts")
    .values({ ...account, locale: "en", created_at: now })
    .execute();
  const names = { guid: showGuid, name: "slow-mornings", title: "Slow Mornings", created_at: now };
  await db
    .insertInto("productions")
    .values({ ...names, owner_id: "maya", summary: "", published: false, latest_publish_at: null, build_at: null })
    .execute();
  const texts = { description: "", language: "en", author: "Maya", owner_email: "maya@example.com", category: "Arts" };
  await db
    .insertInto("shows")
    .values({
      ...names,
      ...texts,
      parent: showGuid,
      explicit: false,
      locked: false,
      imported_from: null,
      cover: null,
      updated_at: now,
    } as never)
    .execute();
  const media = options.media?.(folder) ?? openDiskStore(folder);
  t.after(async () => media.close());
  const context = {
    db,
    store: given.store,
    log: silentLog,
    clock: options.clock ?? systemClock,
    metrics: createMetrics(),
    media,
    uploadDir,
  };
  return { context: context as unknown as StudioContext, folder, given };
}

/** A listener that takes uploads in parts at /upload/<kind>/<name>, and answers a whole file with its row. */
export async function uploadsAt(t: TestContext, context: StudioContext): Promise<string> {
  const app = Fastify({ forceCloseConnections: true });
  app.setErrorHandler(async (error, _request, reply) =>
    error instanceof Refused ? reply.code(error.status).send({ code: error.text }) : reply.code(500).send({ message: String(error) }),
  );
  await addPartRoutes(app, context, {
    url: "/upload/:kind/:name",
    whose: async ({ params }) => {
      const { kind, name } = params as { kind: "audio" | "cover"; name: string };
      return { showGuid, kind, fileName: name };
    },
    made: async (_request, reply, asset) => reply.code(201).send(asset),
  });
  t.after(async () => app.close());
  return app.listen({ host: "127.0.0.1", port: 0 });
}

export async function listed(store: MediaStore): Promise<MediaFile[]> {
  const files: MediaFile[] = [];
  for await (const file of store.list()) files.push(file);
  return files;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A file on its way into a store. */
export async function fileOf(t: TestContext, bytes: Uint8Array, ending = "mp3"): Promise<NewFile> {
  const fromPath = join(await tempDir(t, "file"), "file");
  await writeFile(fromPath, bytes);
  const hash = sha256(bytes);
  return { name: `${hash.slice(0, 32)}.${ending}`, fromPath, bytes: bytes.length, sha256: hash };
}
