import type { FastifyInstance, FastifyRequest } from "fastify";
import { readEveryBodyAsJson } from "../kit/api/json-body.ts";
import type { AnnouncedSites } from "./announced-sites.ts";
import type { CheckBook } from "./backlink/check-book.ts";
import { checkRoutes } from "./backlink/check-routes.ts";
import { authenticate, readCaller, readSites, type Caller } from "./caller.ts";
import { ApiError, encodeError, toApiError } from "./errors.ts";
import type { WorkerAction } from "./history.ts";
import type { Keys } from "./keys.ts";
import { readAccountBody, readCompleteBody, readFailBody, readInsertBody, readPullQuery } from "./read-body.ts";
import type { TaskBook } from "./task-book.ts";
import { idOf, taskIdOf, type WorkerRequest, type WorkerRoute } from "./worker-route.ts";

export interface Refusal {
  /** null: no valid key came. */
  caller: Caller | null;
  action: WorkerAction;
  taskId: string | null;
  error: ApiError;
  /** What was thrown before it became the answer. */
  thrown: unknown;
}

interface WorkerRouteOptions {
  keys: Keys;
  book: TaskBook;
  checks: CheckBook;
  announced: AnnouncedSites;
  now: () => number;
  /** Must not throw. */
  onRefusal(refusal: Refusal): Promise<void>;
  onAnswer(action: WorkerAction, status: number): void;
}

/** The Podcast worker API (W1-W10). Register under `/api/v1/podcast`. */
export function workerRoutes(app: FastifyInstance, options: WorkerRouteOptions): void {
  const routes = workerRouteTable(options);
  const actionOf = (request: FastifyRequest): WorkerAction =>
    routes.find(({ url }) => request.routeOptions.url === app.prefix + url)?.action ?? "unknown";

  app.decorateRequest("caller", null);
  app.addHook("onRequest", async (request) => {
    const key = await authenticate(request.headers, options.keys, "worker");
    request.setDecorator<Caller>("caller", readCaller(request.headers, key));
  });
  readEveryBodyAsJson(app);
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = toApiError(thrown);
    await options.onRefusal({
      caller: request.getDecorator<Caller | null>("caller"),
      action: actionOf(request),
      taskId: taskIdOf(request),
      error,
      thrown,
    });
    return reply.code(error.status).send(encodeError(error));
  });
  app.setNotFoundHandler(async () => {
    throw new ApiError("not_found");
  });
  app.addHook("onResponse", async (request, reply) => options.onAnswer(actionOf(request), reply.statusCode));

  for (const { method, url, answer } of routes) {
    // No HEAD beside GET: a pull claims.
    app.route({
      method,
      url,
      exposeHeadRoute: false,
      handler: async (request) => answer(request as WorkerRequest, request.getDecorator<Caller>("caller")),
    });
  }
}

function workerRouteTable({ book, checks, announced, now }: WorkerRouteOptions): WorkerRoute[] {
  const done = { success: true };
  return [
    {
      method: "GET",
      url: "/links",
      action: "pull",
      async answer(request, caller) {
        const order = { ...readPullQuery(request.query), sites: readSites(request.headers) };
        if (order.sites) await announced.remember(caller, order.kind ?? "primary", order.sites, new Date(now()));
        return { success: true, data: await book.pull(caller, order) };
      },
    },
    {
      method: "GET",
      url: "/links/:id",
      action: "read",
      answer: async (request, caller) => ({ success: true, data: await book.read(caller, idOf(request)) }),
    },
    {
      method: "POST",
      url: "/links/:id/start",
      action: "start",
      async answer(request, caller) {
        await book.start(caller, idOf(request));
        return done;
      },
    },
    {
      method: "POST",
      url: "/links/:id/complete",
      action: "complete",
      async answer(request, caller) {
        await book.complete(caller, idOf(request), readCompleteBody(request.body));
        return done;
      },
    },
    {
      method: "POST",
      url: "/links/insert",
      action: "insert",
      async answer(request, caller) {
        const { id, order } = readInsertBody(request.body);
        const { linkId, accountId } = await book.insert(caller, id, order);
        return { success: true, id: linkId, account_id: accountId };
      },
    },
    {
      method: "POST",
      url: "/links/:id/account",
      action: "account",
      async answer(request, caller) {
        const { accountId, updatedFields } = await book.account(caller, idOf(request), readAccountBody(request.body));
        return { success: true, account_id: accountId, updated_fields: updatedFields };
      },
    },
    {
      method: "POST",
      url: "/links/:id/fail",
      action: "fail",
      async answer(request, caller) {
        await book.fail(caller, idOf(request), readFailBody(request.body));
        return done;
      },
    },
    ...checkRoutes(checks),
  ];
}
