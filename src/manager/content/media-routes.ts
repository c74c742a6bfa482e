import { rm } from "node:fs/promises";
import { join } from "node:path";
import multipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Kysely } from "kysely";
import { mediaRoutes as table } from "../../contract/content-api.ts";
import { isUuid } from "../../kit/uuid.ts";
import type { Who } from "../api/serve.ts";
import { ApiError } from "../errors.ts";
import { audit } from "../people/audit.ts";
import type { ManagerTables } from "../tables.ts";
import type { MediaUrl } from "./documents.ts";
import { addMedium, findMedium, listMedia, removeMedium } from "./media.ts";
import { keepFile } from "./media-store.ts";
import { contentDisposition, sendFile } from "./send-file.ts";

const MAX_FILE_BYTES = 200 * 1024 * 1024;
const FIELD = "file";

interface MediaParts {
  db: Kysely<ManagerTables>;
  /** Epoch, ms. */
  now: () => number;
  mediaUrl: MediaUrl;
  /** Where files are kept; null: this manager keeps none. */
  folder: string | null;
  /** Default 200 MB. */
  maxFileBytes?: number;
}

const whoOf = (request: FastifyRequest): Who => request.getDecorator<Who>("who");

/** @throws ApiError not_found */
function idOf(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  if (!isUuid(id)) throw new ApiError("not_found");
  return id.toLowerCase();
}

/** Files of contents. Beside `serveRoutes`, whose hooks say who calls. */
export async function mediaRoutes(app: FastifyInstance, parts: MediaParts): Promise<void> {
  const { db, now, mediaUrl, folder } = parts;

  app.get("/media", { config: { needs: "content:read" } }, async (request) => {
    const query = table.listMedia.query.parse(request.query);
    const { data, total } = await listMedia(db, whoOf(request).tenant, query, mediaUrl);
    return { success: true, data, total, page: query.page, limit: query.limit };
  });

  app.delete("/media/:id", { config: { needs: "content:write" } }, async (request) => {
    const [id, { tenant, email }] = [idOf(request), whoOf(request)];
    await db.transaction().execute(async (trx) => {
      await removeMedium(trx, tenant, id);
      if (tenant !== null) await audit(trx, { tenant, email }, { action: "delete", what: `medium ${id}` }, new Date(now()));
    });
    if (folder) await rm(join(folder, id), { force: true });
    return { success: true };
  });

  // The name ends the address for people and for programs that go by endings; an asterisk, for it may be longer than a parameter.
  app.route({
    method: ["GET", "HEAD"],
    url: "/media/:id/*",
    config: { needs: "open" },
    async handler(request, reply) {
      const id = idOf(request);
      const medium = await findMedium(db, id);
      if (!medium || !folder) throw new ApiError("not_found");
      reply.headers({
        "content-disposition": contentDisposition(medium.filename),
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "access-control-allow-origin": "*",
      });
      return sendFile(request, reply, { path: join(folder, id), mime: medium.mime_type, etag: `"${id}"` });
    },
  });

  await app.register(async (scope) => uploadRoute(scope, parts));
}

/** In a scope of its own, for elsewhere a body is JSON whatever its type says. */
async function uploadRoute(app: FastifyInstance, { db, now, mediaUrl, folder, maxFileBytes = MAX_FILE_BYTES }: MediaParts): Promise<void> {
  await app.register(multipart, { limits: { files: 1, fields: 10, parts: 11, fileSize: maxFileBytes }, throwFileSizeLimit: false });
  app.post("/media", { config: { needs: "content:write" } }, async (request, reply) => {
    if (!folder) throw new ApiError("conflict", "this manager keeps no media");
    if (!request.isMultipart()) throw new ApiError("validation", `the body is no multipart/form-data with a field ${FIELD}`);
    const sent = await request.file().catch(unlessBroken);
    if (sent?.fieldname !== FIELD) {
      sent?.file.resume();
      throw new ApiError("validation", `${FIELD}: is missing`);
    }
    const kept = await keepFile(folder, sent.file).catch(unlessBroken);
    const owner = { tenant: whoOf(request).tenant, filename: sent.filename, mediaUrl };
    // Where this fails nobody knows whether the row is there after all: the file is the sweep's, then.
    const media = await addMedium(db, owner, kept, new Date(now()));
    return reply.code(201).send({ success: true, media });
  });
}

/** What the caller sent wrong breaks off the reading of it; what broke on our side names a system call. */
function unlessBroken(error: unknown): never {
  if (error instanceof ApiError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
  throw new ApiError("malformed_request");
}
