import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { ApiRoute, ApiRoutes, Given, Needs } from "../../contract/api-route.ts";
import { ApiError, encodeError, toApiError } from "../errors.ts";
import { isUuid } from "../uuid.ts";
import { readEveryBodyAsJson } from "./json-body.ts";
import { streamAnswer, type Streamed } from "./stream-answer.ts";

/** Who calls: a person by a token, or a program by an API key. */
export interface Who {
  /** Whose rows they see; null for a key that belongs to nobody: a worker's sees everybody's work, another one only nobody's contents. */
  tenant: string | null;
  /** For the audit log; a key's name for a key. */
  email: string;
  /** May see secrets. */
  reveals: boolean;
}

/** What the routes of an API do, by the name that each has in its table. */
export type Handlers<Routes extends ApiRoutes> = {
  readonly [Name in keyof Routes]: (given: Given<Routes[Name]>, who: Who) => Promise<AnswerOf<Routes[Name]>>;
};

type AnswerOf<Route extends ApiRoute> = Route extends { streamed: true } ? Streamed : z.input<Route["answer"]>;

export interface ServeOptions {
  /** @throws ApiError unless the headers say who it is, and they may do this */
  identify(request: FastifyRequest, needs: Needs): Promise<Who>;
  /** Must not throw. */
  onBroken(thrown: unknown, request: FastifyRequest): void;
}

type AnyHandler = (given: { params: object; query: object; body: unknown }, who: Who) => Promise<unknown>;

/** Answers the routes of a table. Register under the API's prefix. Whoever nobody knows learns nothing, not even which addresses there are. */
export function serveRoutes<Routes extends ApiRoutes>(
  app: FastifyInstance,
  routes: Routes,
  handlers: Handlers<Routes>,
  { identify, onBroken }: ServeOptions,
): void {
  readEveryBodyAsJson(app);
  app.decorateRequest("who", null);
  app.addHook("onRequest", async (request) => {
    const { needs = "viewer", words } = (request.routeOptions.config as Partial<ApiRoute> | undefined) ?? {};
    request.setDecorator<Who>("who", await identify(request, needs));
    requireAddress(request.params as Record<string, string>, words);
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = toApiError(thrown);
    if (error.code === "internal") onBroken(thrown, request);
    return refuse(reply, error);
  });
  app.setNotFoundHandler(async () => {
    throw new ApiError("not_found");
  });
  for (const [name, route] of Object.entries<ApiRoute>(routes)) {
    const handler = handlers[name] as unknown as AnyHandler;
    app.route({
      method: route.method,
      url: route.path,
      ...(route.bodyLimitBytes && { bodyLimit: route.bodyLimitBytes }),
      config: { needs: route.needs, words: route.words },
      async handler(request, reply) {
        const given = readGiven(route, request);
        const answer = await handler(given, request.getDecorator<Who>("who"));
        reply.code(route.status ?? 200);
        return route.streamed ? streamAnswer(reply, answer as Streamed, (thrown) => onBroken(thrown, request)) : reply.send(answer);
      },
    });
  }
}

/** Before the body is read: nobody is told what is wrong with a body for an address that is none. @throws ApiError not_found */
function requireAddress(params: Readonly<Record<string, string>>, words: ApiRoute["words"] = {}): void {
  for (const [name, value] of Object.entries(params))
    if (words[name] ? !words[name].includes(value) : /id$/i.test(name) && !isUuid(value)) throw new ApiError("not_found");
}

/** @throws ApiError nul_character; ZodError */
function readGiven(route: ApiRoute, request: FastifyRequest): { params: object; query: object; body: unknown } {
  // The database can't store it, nor look for it.
  if (Object.values(request.query as Record<string, unknown>).some((value) => String(value).includes("\0")))
    throw new ApiError("nul_character");
  return {
    params: request.params as object,
    query: route.query ? route.query.parse(request.query) : {},
    body: route.body?.parse(request.body ?? {}, { reportInput: true }),
  };
}

export function refuse(reply: FastifyReply, error: ApiError): FastifyReply {
  if (error.retryAfterMs !== null) reply.header("retry-after", Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
  return reply.code(error.status).send(encodeError(error));
}
