import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { UsageError } from "./config.ts";
import { withDeadline } from "./deadline.ts";
import type { Log } from "./log.ts";
import { urlHere } from "./url-here.ts";

/** 1 MiB: JSON bodies; uploads stream through multipart with limits of their own. */
const BODY_LIMIT_BYTES = 1024 * 1024;

const PROBE_MS = 2000;

export interface ServerOptions {
  log: Log;
  /** Probes for /readyz: each returns null when ready, else the reason. */
  ready?: Record<string, () => string | null | Promise<string | null>>;
  bodyLimitBytes?: number;
  /** Whose X-Forwarded-For says who calls: addresses and CIDR ranges. Absent: nobody's, it is ignored. */
  trustedProxies?: readonly string[];
  /** What a URL that can't be decoded, or with an over-long part, is answered; no hook and no route sees it. Must not throw. */
  refuseUrl?: (request: FastifyRequest) => Promise<{ code: number; body: unknown }>;
}

export interface Listening {
  /** Origin, e.g. "http://127.0.0.1:8700". */
  url: string;
  port: number;
  close(): Promise<void>;
}

/** A Fastify server with what every listener of ours has: /healthz, /readyz, an access log. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { refuseUrl } = options;
  const frameworkErrors =
    refuseUrl &&
    ((_error: Error, request: FastifyRequest, reply: FastifyReply) =>
      void refuseUrl(request).then(({ code, body }) => reply.code(code).send(body)));
  const app = Fastify({
    loggerInstance: undefined,
    bodyLimit: options.bodyLimitBytes ?? BODY_LIMIT_BYTES,
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    ...(frameworkErrors && { frameworkErrors }),
  });
  app.addHook("onResponse", async (request, reply) => {
    options.log.debug(`${request.method} ${request.url.split("?")[0]} ${reply.statusCode}`, { ms: Math.round(reply.elapsedTime) });
  });
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const probes = await Promise.all(
      Object.entries(options.ready ?? {}).map(async ([name, probe]) => [name, await reasonOf(probe)] as const),
    );
    const waiting = Object.fromEntries(probes.filter(([, reason]) => reason !== null));
    const ready = Object.keys(waiting).length === 0;
    return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "waiting", ...(!ready && { waiting }) });
  });
  return app;
}

/** A probe that fails or hangs is a reason too. */
async function reasonOf(probe: () => string | null | Promise<string | null>): Promise<string | null> {
  try {
    return await withDeadline(PROBE_MS, "the probe", async () => probe());
  } catch (error) {
    return (error as Error).message;
  }
}

/** @param setting the environment variable that moves the port, for the sentence when it is taken. */
export async function listen(app: FastifyInstance, address: { host: string; port: number; setting: string }): Promise<Listening> {
  try {
    await app.listen({ host: address.host, port: address.port });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EADDRINUSE")
      throw new UsageError(
        `Port ${address.port} on ${address.host} is taken by another program. Stop it, or choose another port: ${address.setting}=${address.port + 1}`,
      );
    if (code === "EACCES")
      throw new UsageError(
        `Port ${address.port} may not be opened by this user. Choose one above 1023: ${address.setting}=8${String(address.port).padStart(3, "0").slice(-3)}`,
      );
    if (code === "EADDRNOTAVAIL") throw new UsageError(`HOST=${address.host} is not an address of this machine. Use 127.0.0.1 or 0.0.0.0.`);
    throw error;
  }
  const bound = app.server.address();
  const port = typeof bound === "object" && bound ? bound.port : address.port;
  return { url: urlHere(address.host, port), port, close: async () => app.close() };
}

/**
 * Refuses requests whose Host header is not one of ours: a page on another site must not reach a listener on this machine
 * through a name that it points here.
 * @param allowed host names without port; loopback names always pass
 */
export function checkHost(app: FastifyInstance, allowed: readonly string[], refuse: () => { code: number; body: unknown }): void {
  const isOurs = createHostCheck(allowed);
  app.addHook("onRequest", async (request, reply) => {
    if (request.url === "/healthz" || request.url === "/readyz" || isOurs(request)) return;
    const { code, body } = refuse();
    await reply.code(code).send(body);
  });
}

/** The same for what no hook sees. @returns whether a request is to one of our names */
export function createHostCheck(allowed: readonly string[]): (request: FastifyRequest) => boolean {
  const names = new Set(["127.0.0.1", "localhost", "[::1]", ...allowed.map((name) => name.toLowerCase())]);
  return ({ headers }) => {
    const host = (headers.host ?? "").toLowerCase();
    return names.has(host) || names.has(host.replace(/:\d+$/, ""));
  };
}
