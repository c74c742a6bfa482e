import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { ApiRoute, ApiRoutes, Given } from "../../contract/api-route.ts";
import { BadCall } from "./bad-call.ts";
import { readEveryBodyAsJson } from "./json-body.ts";
import { streamAnswer, type Streamed } from "./stream-answer.ts";

/** A refusal in an API's own words. */
export interface Refusal {
  status: number;
  /** Its envelope. */
  body: object;
  /** For Retry-After, ms. */
  retryAfterMs: number | null;
  /** Nobody foresaw it: the log needs to know. */
  broken: boolean;
}

/** An answer with another status than the route's usual one. */
export class Answered<Body> {
  readonly status: number;
  readonly body: Body;

  constructor(status: number, body: Body) {
    this.status = status;
    this.body = body;
  }
}

/** What the routes of an API do, by the name that each has in its table. @typeParam Who what is known of a caller */
export type Handlers<Routes extends ApiRoutes<string>, Who> = {
  readonly [Name in keyof Routes]: (given: Given<Routes[Name]>, who: Who) => Promise<AnswerOf<Routes[Name]>>;
};

type AnswerOf<Route extends ApiRoute<string>> = Route extends { streamed: true }
  ? Streamed
  : Route extends { status: 204 }
    ? void
    : z.input<Route["answer"]> | OtherOf<Route>;

type OtherOf<Route extends ApiRoute<string>> = Route extends { otherwise: Readonly<Record<number, { answer: infer Other }>> }
  ? Answered<Other extends z.ZodType ? z.input<Other> : never>
  : never;

export interface ServeOptions<Who, Need extends string> {
  /** @throws unless the headers say who it is, and they may do this */
  identify(request: FastifyRequest, needs: Need): Promise<Who>;
  /** What is needed where there is no route: whoever nobody knows learns nothing, not even which addresses there are. */
  strayNeeds: Need;
  /** Whether a parameter of the path can be one; the names of words are looked up in the route's own list. */
  isParameter(name: string, value: string): boolean;
  /** Any thrown value. Must not throw. */
  refusalOf(thrown: unknown): Refusal;
  /** Told of what is broken. Must not throw. */
  onBroken(thrown: unknown, request: FastifyRequest): void;
}

type AnyHandler = (given: { params: object; query: object; body: unknown }, who: unknown) => Promise<unknown>;

/** Answers the routes of a table. Register under the API's prefix. */
export function serveRoutes<Routes extends ApiRoutes<Need>, Who, Need extends string>(
  app: FastifyInstance,
  routes: Routes,
  handlers: Handlers<Routes, Who>,
  options: ServeOptions<Who, Need>,
): void {
  readEveryBodyAsJson(app);
  checkCalls(app, options);
  for (const [name, route] of Object.entries<ApiRoute<Need>>(routes)) {
    const handler = handlers[name] as unknown as AnyHandler;
    app.route({
      method: route.method,
      url: route.path,
      ...(route.bodyLimitBytes && { bodyLimit: route.bodyLimitBytes }),
      config: { needs: route.needs, words: route.words },
      async handler(request, reply) {
        const answer = await handler(readGiven(route, request), request.getDecorator<Who>("who"));
        if (answer instanceof Answered) return reply.code(answer.status).send(answer.body);
        reply.code(route.status ?? 200);
        if (route.streamed) return streamAnswer(reply, answer as Streamed, (thrown) => options.onBroken(thrown, request));
        return reply.send(answer);
      },
    });
  }
}

/**
 * Who calls, then the address, then the rest; and refusals in the API's words. Routes that are served by hand say in their
 * `config` what they need: `{ needs, words }`. The caller is `request.getDecorator<Who>("who")`.
 */
export function checkCalls<Who, Need extends string>(
  app: FastifyInstance,
  { identify, strayNeeds, isParameter, refusalOf, onBroken }: ServeOptions<Who, Need>,
): void {
  app.decorateRequest("who", null);
  app.addHook("onRequest", async (request) => {
    const { needs = strayNeeds, words } = (request.routeOptions.config as Partial<ApiRoute<Need>> | undefined) ?? {};
    request.setDecorator<Who>("who", await identify(request, needs));
    // Before the body is read: nobody is told what is wrong with a body for an address that is none.
    for (const [name, value] of Object.entries(request.params as Record<string, string>))
      if (words?.[name] ? !words[name].includes(value) : !isParameter(name, value)) throw new BadCall("no_address");
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    const refusal = refusalOf(thrown);
    if (refusal.broken) onBroken(thrown, request);
    return refuse(reply, refusal);
  });
  app.setNotFoundHandler(async () => {
    throw new BadCall("no_address");
  });
}

/** @throws BadCall nul_character; ZodError */
function readGiven(route: ApiRoute<string>, request: FastifyRequest): { params: object; query: object; body: unknown } {
  // The database can't store it, nor look for it.
  if (Object.values(request.query as Record<string, unknown>).some((value) => String(value).includes("\0")))
    throw new BadCall("nul_character");
  return {
    params: request.params as object,
    query: route.query ? route.query.parse(request.query) : {},
    body: route.body?.parse(request.body ?? {}, { reportInput: true }),
  };
}

export function refuse(reply: FastifyReply, { status, body, retryAfterMs }: Refusal): FastifyReply {
  if (retryAfterMs !== null) reply.header("retry-after", Math.max(1, Math.ceil(retryAfterMs / 1000)));
  return reply.code(status).send(body);
}
