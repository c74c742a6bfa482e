import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { opens } from "../kit/access-token.ts";
import type { Log } from "../kit/log.ts";
import { checkHost, createServer } from "../kit/server.ts";
import type { Engine } from "./engine.ts";
import { handedBack } from "./hand-over.ts";
import { createMetrics } from "./metrics.ts";
import { resolution } from "./resolve.ts";

export interface FarmServerOptions {
  engine: Engine;
  log: Log;
  allowedHosts: readonly string[];
  /** Opens what is secret; null: nothing does. */
  token: string | null;
}

/** The envelope of the Task API (T): HTTP status = code / 100. */
const envelope = (code: number, message: string, data: unknown = null) => ({ code, message, data });
const codes = {
  ok: 0,
  badParameter: 40_001,
  refusedHost: 40_300,
  notFound: 40_401,
  notWaiting: 40_901,
  noToken: 40_100,
  internal: 50_001,
} as const;

/** The farm's port: health, metrics, what it does, and a person's word on an episode in doubt. */
export function createFarmServer({ engine, log, allowedHosts, token }: FarmServerOptions): FastifyInstance {
  const app = createServer({ log, ready: { farm: () => (engine.status().draining ? "the farm is shutting down" : null) } });
  const refused = envelope(codes.refusedHost, "This host name is not allowed. Add it to ALLOWED_HOSTS.");
  checkHost(app, allowedHosts, () => ({ code: 403, body: refused }));
  checkOrigin(app, allowedHosts, refused);
  const metrics = createMetrics(engine.events, () => engine.status());

  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  app.get("/api/v1/farm/status", async () => envelope(codes.ok, "success", await engine.freshStatus()));
  app.get("/api/v1/farm/sessions", async () => envelope(codes.ok, "success", await engine.sessions()));
  addGuardedRoutes(app, engine, token);
  app.setNotFoundHandler(async (request, reply) =>
    reply.code(404).send(envelope(codes.notFound, `${request.method} ${request.url.split("?")[0]} is not known here`)),
  );
  app.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error(`the farm's port: ${error.message}`);
    return reply
      .code(status)
      .send(
        status < 500 ? envelope(status * 100 + 1, error.message) : envelope(codes.internal, "something broke inside the farm; see its log"),
      );
  });
  return app;
}

/** A browser state has whole databases in it. */
const STATE_LIMIT_BYTES = 64 * 1024 * 1024;
const named = z.object({ task: z.string().min(1) });
const namedAccount = z.object({ accountKey: z.string().min(1) });

/** What signs in, and a person's word on what was posted: only for those who can read the farm's data folder. */
function addGuardedRoutes(app: FastifyInstance, engine: Engine, token: string | null): void {
  const options = {
    bodyLimit: STATE_LIMIT_BYTES,
    async preHandler(request: FastifyRequest, reply: FastifyReply) {
      if (token !== null && opens(token, request.headers.authorization)) return;
      await reply.code(401).send(envelope(codes.noToken, "this needs the word in farm-token, in the farm's data folder"));
    },
  };
  const refuse = (reply: FastifyReply, why: string): FastifyReply =>
    why.startsWith("there is no")
      ? reply.code(404).send(envelope(codes.notFound, why))
      : reply.code(409).send(envelope(codes.notWaiting, why));
  const unreadable = (reply: FastifyReply, error: z.ZodError): FastifyReply =>
    reply.code(400).send(envelope(codes.badParameter, z.prettifyError(error)));

  app.post("/api/v1/farm/resolve", options, async (request, reply) => {
    const word = resolution.safeParse(request.body);
    if (!word.success) return reply.code(400).send(envelope(codes.badParameter, z.prettifyError(word.error)));
    const refusal = await engine.resolve(word.data);
    if (refusal?.startsWith("there is no")) return reply.code(404).send(envelope(codes.notFound, refusal));
    return refusal ? reply.code(409).send(envelope(codes.notWaiting, refusal)) : envelope(codes.ok, "success", {});
  });
  app.post("/api/v1/farm/hand-over", options, async (request, reply) => {
    const asked = named.safeParse(request.body);
    if (!asked.success) return unreadable(reply, asked.error);
    const given = await engine.handOver(asked.data.task);
    return typeof given === "string" ? refuse(reply, given) : envelope(codes.ok, "success", given);
  });
  app.post("/api/v1/farm/hand-over/done", options, async (request, reply) => {
    const word = handedBack.safeParse(request.body);
    if (!word.success) return unreadable(reply, word.error);
    const refusal = await engine.takeBack(word.data);
    return refusal ? refuse(reply, refusal) : envelope(codes.ok, "success", {});
  });
  app.post("/api/v1/farm/sessions/export", options, async (request, reply) => {
    const asked = namedAccount.safeParse(request.body);
    if (!asked.success) return unreadable(reply, asked.error);
    const state = await engine.ledger.sessions.load(asked.data.accountKey);
    return state ? envelope(codes.ok, "success", state) : refuse(reply, `there is no session of ${asked.data.accountKey}`);
  });
}

/** A page of another site may know our address, but not claim our origin. */
function checkOrigin(app: FastifyInstance, allowedHosts: readonly string[], refused: unknown): void {
  const names = new Set(["127.0.0.1", "localhost", "[::1]", ...allowedHosts.map((name) => name.toLowerCase().replace(/:\d+$/, ""))]);
  app.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined || (URL.canParse(origin) && names.has(new URL(origin).hostname))) return;
    await reply.code(403).send(refused);
  });
}
