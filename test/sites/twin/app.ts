import { dirname } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import multipart from "@fastify/multipart";
import fastifyStatic from "@fastify/static";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";

/** The largest file that a twin takes; real ones take more. */
const MAX_FILE_BYTES = 50 * 1024 * 1024;
const quillDir = dirname(createRequire(import.meta.url).resolve("quill/dist/quill.js"));

/** A web server of a twin: forms, cookies and files are read, scripts come from the folder, the real Quill is at /quill/. */
export async function createApp(scripts: URL): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true, bodyLimit: 1024 * 1024 });
  await app.register(cookie);
  await app.register(formbody);
  await app.register(multipart, { limits: { fileSize: MAX_FILE_BYTES, files: 1 } });
  const files = { index: false, decorateReply: false } as const;
  await app.register(fastifyStatic, { ...files, root: fileURLToPath(new URL("./assets/", import.meta.url)), prefix: "/twin/assets/" });
  await app.register(fastifyStatic, { ...files, root: fileURLToPath(scripts), prefix: "/site/assets/" });
  await app.register(fastifyStatic, { ...files, root: quillDir, prefix: "/quill/" });
  return app;
}

/** Opens the doors. @returns the origin, e.g. "http://127.0.0.1:41234" */
export async function listen(app: FastifyInstance): Promise<string> {
  return app.listen({ host: "127.0.0.1", port: 0 });
}

/** As the visitor wrote it, so that links are right behind a proxy too. */
export function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}
