import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { opens } from "../kit/access-token.ts";
import { describeApis } from "../kit/api/describe.ts";
import { createRefuseUrl } from "../kit/api/refuse-url.ts";
import { refuse as sendRefusal } from "../kit/api/serve.ts";
import type { Config } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import { checkHost, createHostCheck, createServer } from "../kit/server.ts";
import type { Engine } from "./engine.ts";
import { handedBack } from "./hand-over.ts";
import { taskApiBook } from "./local/api-book.ts";
import { refusalOf, TaskApiError } from "./local/errors.ts";
import { createDoor, createIdentify, serveTaskApi, type Door, type TaskApiOptions } from "./local/serve.ts";
import { createMetrics } from "./metrics.ts";
import { resolution } from "./resolve.ts";

export interface FarmServerOptions {
  engine: Engine;
  log: Log;
  allowedHosts: readonly string[];
  /** Opens what is secret; null: nothing does. */
  token: string | null;
  /** The farm's own accounts and tasks; absent: it has none. */
  tasks?: Pick<TaskApiOptions, "db" | "accounts" | "tasks" | "plan" | "concurrency"> & {
    /** Opens what is for callers; absent: whoever reaches the port is one. */
    taskToken: Config["taskToken"];
    /** Epoch, ms. */
    now(): number;
    /** Where the port is; known once it listens. */
    url(): string;
  };
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
export function createFarmServer({ engine, log, allowedHosts, token, tasks }: FarmServerOptions): FastifyInstance {
  const door: Door = tasks ? createDoor({ ...tasks, folderToken: token }) : () => "caller";
  const identify = createIdentify(door, tasks?.plan ?? "Self-hosted");
  const isOurHost = createHostCheck(allowedHosts);
  const isOurPage = createOriginCheck(allowedHosts);
  const refused = envelope(codes.refusedHost, "This host name is not allowed. Add it to ALLOWED_HOSTS.");
  const refuseUrl = createRefuseUrl({ identify, refusalOf }, [["/api/v1/account/", "folder"]], "caller");
  const app = createServer({
    log,
    ready: { farm: () => (engine.status().draining ? "the farm is shutting down" : null) },
    refuseUrl: async (request) => (isOurHost(request) && isOurPage(request) ? refuseUrl(request) : { code: 403, body: refused }),
  });
  checkHost(app, allowedHosts, () => ({ code: 403, body: refused }));
  app.addHook("onRequest", async (request, reply) => {
    if (!isOurPage(request)) await reply.code(403).send(refused);
  });
  const metrics = createMetrics(engine.events, () => engine.status());

  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  // Whatever the plan: this is no part of the Task API.
  const forCallers = { preHandler: async (request: FastifyRequest) => void door(request, "caller") };
  app.get("/api/v1/farm/status", forCallers, async () => envelope(codes.ok, "success", await engine.freshStatus()));
  app.get("/api/v1/farm/sessions", forCallers, async () => envelope(codes.ok, "success", await engine.sessions()));
  addGuardedRoutes(app, engine, token);
  if (tasks) addTaskApi(app, engine, { ...tasks, log, identify });
  app.setNotFoundHandler(async (request, reply) =>
    reply.code(404).send(envelope(codes.notFound, `${request.method} ${request.url.split("?")[0]} is not known here`)),
  );
  app.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof TaskApiError) return sendRefusal(reply, refusalOf(error));
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

function addTaskApi(app: FastifyInstance, engine: Engine, { url, ...options }: Omit<TaskApiOptions, "engine"> & { url(): string }): void {
  describeApis(app, taskApiBook, url);
  void app.register(
    async (api) =>
      serveTaskApi(api, {
        ...options,
        engine: {
          wake: () => engine.wake(),
          cancel: (id, why) =>
            void engine
              .cancel(id, why)
              .catch((error: unknown) => options.log.error(`a task could not be stopped: ${String(error)}`, { task: id })),
        },
      }),
    { prefix: "/api/v1" },
  );
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

/**
 * A page of another site may know our address, but not claim our origin; a page at another port is another site. What is no page
 * sends no origin.
 */
function createOriginCheck(allowedHosts: readonly string[]): (request: FastifyRequest) => boolean {
  // Behind a proxy that asks us by another name than it was asked by.
  const names = new Set(allowedHosts.map((name) => name.toLowerCase()));
  return ({ headers: { origin, host } }) => {
    if (origin === undefined) return true;
    if (!URL.canParse(origin)) return false;
    const { protocol, host: claimed } = new URL(origin);
    const asked = `${protocol}//${host ?? ""}`;
    return names.has(claimed) || (URL.canParse(asked) && claimed !== "" && new URL(asked).host === claimed);
  };
}
