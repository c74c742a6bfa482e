import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Kysely } from "kysely";
import { contentRoutes } from "../../contract/content-api.ts";
import type { Log } from "../../kit/log.ts";
import { serveRoutes, type ServeOptions, type Who } from "../api/serve.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import { contentHandlers } from "./content-handlers.ts";
import { createMediaUrl } from "./media.ts";
import { mediaRoutes } from "./media-routes.ts";
import { createRateLimit, limitCalls } from "./rate-limit.ts";
import { folderOf, sweepMedia, TRASH, TRASH_DAYS } from "./sweep-media.ts";

interface ContentOptions {
  db: Kysely<ManagerTables>;
  log: Log;
  /** Epoch, ms. */
  now: () => number;
  /** The address that others are told; known once it listens. */
  publicUrl: () => string;
  /** Files are kept in its folder media-store, those of each database in one of their own; absent: none are kept. */
  dataDir: string | undefined;
}

/** The addresses that are the Content API's own; besides, its prefix has those of no API at all. */
const OURS = /^\/api\/v1\/(content|tags|media)\b/;

/** Whoever has a key for something else is not told what it lacks where there is nothing. */
async function identifyStray(asked: Promise<Who>, url: string): Promise<Who> {
  return asked.catch((error: unknown) => {
    throw error instanceof ApiError && error.code === "forbidden" && !OURS.test(url) ? new ApiError("not_found") : error;
  });
}

/** Contents, tags and media. Register under /api/v1. */
export async function serveContent(
  app: FastifyInstance,
  { db, log, now, publicUrl, dataDir }: ContentOptions,
  serving: ServeOptions,
): Promise<void> {
  const parts = { db, now, mediaUrl: createMediaUrl(publicUrl) };
  const folder = dataDir === undefined ? null : await folderOf(db, join(dataDir, "media-store"));
  serveRoutes(app, contentRoutes, contentHandlers(parts), {
    ...serving,
    // No route of ours needs a viewer: it is asked for where there is no route.
    identify: limitCalls(
      async (request, needs) =>
        needs === "viewer" ? identifyStray(serving.identify(request, "content:read"), request.url) : serving.identify(request, needs),
      createRateLimit(now),
    ),
  });
  await mediaRoutes(app, { ...parts, folder });
  if (folder) await sweep(db, folder, log);
}

async function sweep(db: Kysely<ManagerTables>, folder: string, log: Log): Promise<void> {
  try {
    const { trashed, restored } = await sweepMedia(db, folder);
    if (trashed > 0)
      log.warn(`${trashed} files of contents belong to nothing; they are in the trash for ${TRASH_DAYS} days`, {
        trash: join(folder, TRASH),
      });
    if (restored > 0) log.info(`${restored} files of contents came back from the trash`, { folder });
  } catch (error) {
    log.warn("files of contents can't be swept", { folder, error: (error as Error).message });
  }
}
