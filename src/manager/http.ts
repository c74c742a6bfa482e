import { sql, type Kysely } from "kysely";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { withDeadline } from "../kit/deadline.ts";
import type { Log } from "../kit/log.ts";
import { createServer } from "../kit/server.ts";
import type { AnnouncedSites } from "./announced-sites.ts";
import { authenticate } from "./caller.ts";
import { ApiError, encodeError, toApiError } from "./errors.ts";
import { record } from "./history.ts";
import type { Keys } from "./keys.ts";
import { createMetrics } from "./metrics.ts";
import type { ManagerTables } from "./tables.ts";
import type { TaskBook } from "./task-book.ts";
import { workerRoutes, type Refusal } from "./worker-routes.ts";

const READY_MS = 2000;

interface HttpOptions {
  db: Kysely<ManagerTables>;
  log: Log;
  keys: Keys;
  book: TaskBook;
  announced: AnnouncedSites;
  /** Epoch, ms. */
  now: () => number;
}

/** Everything that the manager answers over HTTP. Not listening yet. */
export async function createHttp({ db, log, keys, book, announced, now }: HttpOptions): Promise<FastifyInstance> {
  const refuseUrl = async (request: FastifyRequest): Promise<{ code: number; body: unknown }> => {
    const error = await authenticate(request.headers, keys, "worker").then(() => new ApiError("not_found"), toApiError);
    return { code: error.status, body: encodeError(error) };
  };
  const app = createServer({ log, ready: { database: async () => databaseProblem(db) }, refuseUrl });
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
  await app.register(async (scope) => workerRoutes(scope, { keys, book, announced, now, onRefusal, onAnswer: metrics.countCall }), {
    prefix: "/api/v1/podcast",
  });
  return app;
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
