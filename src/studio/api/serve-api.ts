import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { PodopsNeeds, PodopsRoute } from "../../contract/podops-api.ts";
import { describeApis } from "../../kit/api/describe.ts";
import { createRefuseUrl } from "../../kit/api/refuse-url.ts";
import { serveRoutes, type Handlers, type ServeOptions } from "../../kit/api/serve.ts";
import type { ServerOptions } from "../../kit/server.ts";
import { namePattern } from "../ids.ts";
import type { Fetches } from "../resources/fetches.ts";
import type { Web } from "../web.ts";
import { studioBook } from "./book.ts";
import { podopsHandlers, servedRoutes } from "./handlers.ts";
import { createIdentify, type Caller } from "./identify.ts";
import { refusalOf } from "./refusals.ts";
import { createTokens } from "./tokens.ts";
import { uploadRoute } from "./upload-route.ts";

/** Each has its own answers for what is not there; beside them is the web studio. */
const prefixes = ["/a/v1", "/_a", "/_t"] as const;
const MAX_PARAMETER_CHARACTERS = 100;

/** What stands between the studio's listener and its API. */
export interface StudioApi {
  /** For addresses that the router can't read. */
  refuseUrl: NonNullable<ServerOptions["refuseUrl"]>;
  /** PodOps, its document, its page, and the addresses that lead to feeds. */
  serve(app: FastifyInstance): Promise<void>;
}

export async function openApi(web: Web, fetches: Fetches): Promise<StudioApi> {
  const { context, scheduler, shows } = web;
  const tokens = await createTokens(context);
  const options: ServeOptions<Caller, PodopsNeeds> = {
    identify: createIdentify(context, tokens),
    strayNeeds: "token",
    isParameter: (_name, value) => value.length <= MAX_PARAMETER_CHARACTERS && !value.includes("\0"),
    refusalOf,
    onBroken: (thrown, { method, routeOptions }) =>
      context.log.error("a call of the API broke", {
        call: `${method} ${routeOptions.url}`,
        error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      }),
  };
  const handlers = podopsHandlers({ context, tokens, fetches, scheduler });
  const needed = prefixes.map((prefix): [string, PodopsNeeds] => [`${prefix}/`, "token"]);
  return {
    refuseUrl: createRefuseUrl(options, needed, "open"),
    async serve(app) {
      for (const prefix of prefixes)
        await app.register(
          async (scope) => {
            serveRoutes(scope, routesUnder(prefix), handlers as Handlers<Record<string, PodopsRoute>, Caller>, options);
            if (prefix === "/a/v1") await scope.register(async (files) => uploadRoute(files, web, prefix));
          },
          { prefix },
        );
      describeApis(app, studioBook, () => context.publicUrl);
      app.get<{ Params: { name: string } }>("/s/:name/feed.xml", async ({ params }, reply) => {
        const show = namePattern.test(params.name) ? await shows.find(params.name) : null;
        if (!show) return reply.code(404).send({ status: 404, message: "There is no such show." });
        return reply.redirect(`${context.publicUrl}/feeds/${show.guid}.xml`, 307);
      });
    },
  };
}

/** What is wrong with a resource is said all at once, what its files lack as well: its body is looked at by whoever saves it. */
function routesUnder(prefix: string): Record<string, PodopsRoute> {
  const own = Object.entries<PodopsRoute>(servedRoutes).filter(([, { path }]) => path.startsWith(`${prefix}/`));
  const bySaver: readonly string[] = ["createResource", "updateResource"];
  return Object.fromEntries(
    own.map(([name, route]) => [
      name,
      { ...route, path: route.path.slice(prefix.length), ...(bySaver.includes(name) && { body: z.unknown() }) },
    ]),
  );
}
