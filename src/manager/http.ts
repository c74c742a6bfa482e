import { sql, type Kysely } from "kysely";
import type { FastifyInstance } from "fastify";
import { describeApis } from "../kit/api/describe.ts";
import { createRefuseUrl } from "../kit/api/refuse-url.ts";
import { withDeadline } from "../kit/deadline.ts";
import type { Log } from "../kit/log.ts";
import { createServer } from "../kit/server.ts";
import type { AnnouncedSites } from "./announced-sites.ts";
import { ApiError, encodeError, refusalOf, toApiError } from "./errors.ts";
import { record } from "./history.ts";
import type { Keys } from "./keys.ts";
import { accountRoutes, requestRoutes } from "../contract/backlink-api.ts";
import type { Needs } from "../contract/api-route.ts";
import { authRoutes } from "../contract/auth-api.ts";
import type { Vault } from "../store/vault.ts";
import { managerBook } from "./api/book.ts";
import { createIdentify } from "./api/identify.ts";
import { serveRoutes, type ServeOptions } from "./api/serve.ts";
import { accountHandlers } from "./backlink/account-handlers.ts";
import { createCheckBook } from "./backlink/check-book.ts";
import { requestHandlers } from "./backlink/request-handlers.ts";
import { createMediaUrl } from "./content/media.ts";
import { serveContent } from "./content/serve-content.ts";
import { createEpisodeOfContent } from "./content/episode-of-content.ts";
import { authHandlers } from "./people/auth-handlers.ts";
import { createLoginLimit, limitLogins } from "./people/login-limit.ts";
import type { Tokens } from "./people/tokens.ts";
import type { Users } from "./people/users.ts";
import { createMetrics } from "./metrics.ts";
import type { ManagerTables } from "./tables.ts";
import type { TaskBook } from "./task-book.ts";
import { workerRoutes, type Refusal } from "./worker-routes.ts";

const READY_MS = 2000;

/** Whose rules hold for an address that the router can't read. */
const prefixes: readonly (readonly [string, Needs])[] = [
  ["/api/v1/podcast/", "worker"],
  ["/api/v1/auth/", "viewer"],
  ["/api/v1/backlink/", "viewer"],
  ["/api/v1/", "content:read"],
];

interface HttpOptions {
  db: Kysely<ManagerTables>;
  log: Log;
  keys: Keys;
  book: TaskBook;
  announced: AnnouncedSites;
  users: Users;
  tokens: Tokens;
  vault: Vault;
  /** Secrets in all answers, as the texts of the APIs have them. */
  reveal: boolean;
  /** The address that others are told; known once it listens. */
  publicUrl: () => string;
  /** Where files of contents are kept; absent: none are. */
  dataDir: string | undefined;
  /** Whose X-Forwarded-For counts: addresses and CIDR ranges. */
  trustedProxies: readonly string[];
  /** Epoch, ms. */
  now: () => number;
}

/** Everything that the manager answers over HTTP. Not listening yet. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const { db, log, keys, book, announced, vault, publicUrl, trustedProxies, now } = options;
  const identify = createIdentify({ tokens: options.tokens, keys, reveal: options.reveal });
  const app = createServer({
    log,
    ready: { database: async () => databaseProblem(db) },
    trustedProxies,
    refuseUrl: createRefuseUrl({ identify, refusalOf }, prefixes, "open"),
  });
  app.setErrorHandler(async (thrown, _request, reply) => {
    const error = toApiError(thrown);
    if (error.code === "internal") log.error(`a call failed: ${stackOf(thrown)}`);
    return reply.code(error.status).send(encodeError(error));
  });
  app.setNotFoundHandler(async () => {
    throw new ApiError("not_found");
  });

  const metrics = createMetrics(db, now);
  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));

  const onRefusal = async ({ caller, action, taskId, error, thrown }: Refusal): Promise<void> => {
    if (error.code === "internal") log.error(`a worker's call failed: ${stackOf(thrown)}`, { action, ...(taskId && { task: taskId }) });
    if (!caller) return;
    await record(db, caller, [{ action, taskId, status: error.status, code: error.code }], new Date(now())).catch((cause: unknown) =>
      log.error(`the history can't be written: ${stackOf(cause)}`),
    );
  };
  const checks = createCheckBook({ db, vault, log, now });
  await app.register(async (scope) => workerRoutes(scope, { keys, book, checks, announced, now, onRefusal, onAnswer: metrics.countCall }), {
    prefix: "/api/v1/podcast",
  });
  await serveApis(app, identify, options);
  describeApis(app, managerBook, publicUrl);
  return app;
}

/** What people and their programs call. */
async function serveApis(
  app: FastifyInstance,
  identify: ServeOptions["identify"],
  { db, log, announced, users, tokens, vault, publicUrl, dataDir, now }: HttpOptions,
): Promise<void> {
  const serving: ServeOptions = {
    identify,
    onBroken: (thrown, { method, routeOptions }) =>
      log.error(`a call failed: ${stackOf(thrown)}`, { call: `${method} ${routeOptions.url}` }),
  };
  await app.register(
    async (scope) => {
      limitLogins(scope, createLoginLimit(now));
      serveRoutes(scope, authRoutes, authHandlers({ db, users, tokens }), serving);
    },
    { prefix: "/api/v1/auth" },
  );
  await app.register(
    async (scope) => {
      const episodesOfContent = createEpisodeOfContent({ now, mediaUrl: createMediaUrl(publicUrl) });
      const parts = { db, vault, announced, now, episodesOfContent };
      serveRoutes(scope, { ...accountRoutes, ...requestRoutes }, { ...accountHandlers(parts), ...requestHandlers(parts) }, serving);
    },
    { prefix: "/api/v1/backlink" },
  );
  await app.register(async (scope) => serveContent(scope, { db, log, now, publicUrl, dataDir }, serving), { prefix: "/api/v1" });
}

async function databaseProblem(db: Kysely<ManagerTables>): Promise<string | null> {
  try {
    await withDeadline(READY_MS, "the database's answer", async () => sql`select 1`.execute(db));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
