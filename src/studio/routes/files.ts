import { extname } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";
import { assetsDir, quillDir } from "../asset-urls.ts";

const YEAR = "365d";
/** As the feed says it. */
const audioTypes: Readonly<Record<string, string>> = { ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".wav": "audio/wav" };

/** Style sheets, scripts and media. Addresses change with the content, so they may be kept for ever. HEAD, ETag, 304 and ranges come from the library. */
export async function addFileRoutes(app: FastifyInstance, mediaDir: string, assetFolder: string): Promise<void> {
  const common = { index: false, maxAge: YEAR, immutable: true, decorateReply: false } as const;
  const assets = { ...common, setHeaders: noSniff };
  await app.register(fastifyStatic, { ...assets, root: assetsDir, prefix: assetFolder });
  await app.register(fastifyStatic, { ...assets, root: quillDir, prefix: `${assetFolder}quill/` });
  // Without the version in the address (the demo's pictures): asked for again each time (304).
  await app.register(fastifyStatic, { ...assets, maxAge: 0, immutable: false, root: assetsDir, prefix: "/assets/" });
  await app.register(fastifyStatic, {
    ...common,
    root: mediaDir,
    prefix: "/media/",
    setHeaders(reply, path) {
      const type = audioTypes[extname(path)];
      if (type) reply.header("content-type", type);
      reply.headers({
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "access-control-allow-origin": "*",
      });
    },
  });
}

function noSniff(reply: FastifyReply): void {
  reply.header("x-content-type-options", "nosniff");
}
