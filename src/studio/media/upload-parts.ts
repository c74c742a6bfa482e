import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { StudioContext } from "../context.ts";
import { Refused } from "../refused.ts";
import type { AssetsTable } from "../schema.ts";
import { orNoRoom } from "./room.ts";
import { resumeUpload, uploadOffset, type UploadName } from "./resumable.ts";
import { readPartHeaders } from "./upload-headers.ts";

export interface PartRoutes {
  /** e.g. "/a/v1/upload/:prod/:name" */
  url: string;
  /** Who calls, and what the address names. @throws for callers that may not */
  whose(request: FastifyRequest): Promise<UploadName & { showGuid: string }>;
  /** The answer once the file is whole. */
  made(request: FastifyRequest, reply: FastifyReply, asset: AssetsTable): Promise<FastifyReply>;
}

/**
 * Uploads that go on where they broke off. A file is PUT to an address of its own, whole or in parts (upload-headers.ts):
 *
 *     PUT   Content-Range: bytes 0-1048575/5242880   202, Upload-Offset: 1048576: so much is safe
 *     HEAD                                           204, Upload-Offset and Upload-Length; 404: begin at 0
 *     PUT   Content-Range: bytes 1048576-…/5242880   when all is there, what `made` answers
 *
 * What arrived before a connection died counts. A part may be sent again, also from an earlier offset; one that leaves a gap is
 * refused with 400 and the offset to go on from. `Repr-Digest: sha-256=:…:` lets the studio refuse a file that was put together
 * wrongly, and know one again whose last answer was lost.
 */
export async function addPartRoutes(app: FastifyInstance, context: StudioContext, { url, whose, made }: PartRoutes): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The body stays a stream, whatever it is called.
    scope.addContentTypeParser("*", (_request, _body, done) => done(null));
    scope.head(url, async (request, reply) => {
      const { showGuid, ...name } = await whose(request);
      const under = await uploadOffset(context, showGuid, name);
      return under ? reply.code(204).headers(progress(under)).send() : reply.code(404).send();
    });
    scope.put(url, async (request, reply) => {
      const { showGuid, ...name } = await whose(request).catch((error: unknown) => {
        request.raw.resume();
        throw error;
      });
      const part = readPartHeaders(request.headers);
      if (!part) {
        request.raw.resume();
        throw new Refused(400, "badInput");
      }
      const order = { ...name, ...part, stream: request.raw };
      const taken = await orNoRoom(context, async () => resumeUpload(context, showGuid, order)).catch((error: unknown) => {
        request.raw.resume();
        throw error;
      });
      if (taken.done) return made(request, reply, taken.asset);
      reply.headers(progress(taken));
      const { offset, total } = taken;
      if (!taken.gap) return reply.code(202).send({ offset, total });
      return reply.code(400).send({ status: 400, message: `The bytes from ${offset} on are missing: go on from there.`, offset, total });
    });
  });
}

function progress({ offset, total }: { offset: number; total: number }): Record<string, string> {
  return { "upload-offset": String(offset), "upload-length": String(total), "cache-control": "no-store" };
}
