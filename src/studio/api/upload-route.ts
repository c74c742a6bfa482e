import multipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { podopsRoutes } from "../../contract/podops-api.ts";
import { MAX_AUDIO_BYTES } from "../media/kinds.ts";
import { addPartRoutes } from "../media/upload-parts.ts";
import { findProduction, type ProductionRow } from "../resources/find.ts";
import { fileKindOf } from "../resources/point-to.ts";
import { Rejected } from "../resources/problems.ts";
import { checkFileName, keepAs, takeAsset } from "../resources/take-asset.ts";
import type { Web } from "../web.ts";
import type { Caller } from "./identify.ts";

/**
 * Files as they come, under `prefix`: whole in a form, or in parts. Register in a scope of its own behind `checkCalls`: elsewhere
 * bodies are JSON whatever their type says.
 */
export async function uploadRoute(
  app: FastifyInstance,
  { context, processing }: Pick<Web, "context" | "processing">,
  prefix: string,
): Promise<void> {
  const { needs, path, fileField } = podopsRoutes.upload;
  const productionOf = async (request: FastifyRequest): Promise<ProductionRow> => {
    const { owner, scopes } = request.getDecorator<Caller>("who");
    if (!scopes.includes(needs)) throw new Rejected(403, `The token lacks the scope ${needs}.`);
    return findProduction(context.db, owner, (request.params as { prod: string }).prod);
  };
  await app.register(multipart, { limits: { files: 1, fields: 5, parts: 6, fileSize: MAX_AUDIO_BYTES + 1 }, throwFileSizeLimit: false });
  app.post(path.slice(prefix.length), { config: { needs } }, async (request, reply) => {
    const production = await productionOf(request);
    if (!request.isMultipart()) throw new Rejected(400, `The body is no multipart/form-data with a field "${fileField}".`);
    const sent = await request.file();
    if (sent?.fieldname !== fileField) {
      sent?.file.resume();
      throw new Rejected(400, `The file's field is not called "${fileField}".`);
    }
    // A part with a type and no name is a file as well.
    const { filename = "" } = sent as { filename?: string };
    const order = { name: filename, type: sent.mimetype, stream: sent.file };
    return reply.code(201).send(await takeAsset({ context, processing }, production, order));
  });
  const nameOf = (request: FastifyRequest): string => (request.params as { name: string }).name;
  await addPartRoutes(app, context, {
    url: podopsRoutes.uploadPart.path.slice(prefix.length),
    async whose(request) {
      const { guid } = await productionOf(request);
      checkFileName(nameOf(request));
      const type = request.headers["content-type"] ?? "";
      return {
        showGuid: guid,
        fileName: nameOf(request),
        isAssetName: true,
        kind: fileKindOf({ uri: nameOf(request), type: type.startsWith("image/") ? type : "" }),
      };
    },
    made: async (request, reply, asset) =>
      reply.code(201).send(await keepAs({ context, processing }, await productionOf(request), nameOf(request), asset)),
  });
}
