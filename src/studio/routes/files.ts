import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";
import { assetsDir, quillDir } from "../asset-urls.ts";
import type { StudioContext } from "../context.ts";
import { createMediaServer } from "../media/serve.ts";

const YEAR = "365d";

/** Style sheets, scripts and media. Addresses change with the content, so they may be kept for ever. */
export async function addFileRoutes(app: FastifyInstance, context: StudioContext, assetFolder: string): Promise<void> {
  const assets = { index: false, maxAge: YEAR, immutable: true, decorateReply: false, setHeaders: noSniff } as const;
  await app.register(fastifyStatic, { ...assets, root: assetsDir, prefix: assetFolder });
  await app.register(fastifyStatic, { ...assets, root: quillDir, prefix: `${assetFolder}quill/` });
  // Without the version in the address (the demo's pictures): asked for again each time (304).
  await app.register(fastifyStatic, { ...assets, maxAge: 0, immutable: false, root: assetsDir, prefix: "/assets/" });
  const serveMedia = createMediaServer(context);
  app.route<{ Params: { name: string } }>({
    method: ["GET", "HEAD"],
    url: "/media/:name",
    handler: async (request, reply) => serveMedia(request, reply, request.params.name),
  });
}

function noSniff(reply: FastifyReply): void {
  reply.header("x-content-type-options", "nosniff");
}
