import type { FastifyInstance } from "fastify";
import type { ApiRoutes, Needs } from "../../contract/api-route.ts";
import { serveRoutes as serve, type Handlers as HandlersOf, type ServeOptions as ServeOptionsOf } from "../../kit/api/serve.ts";
import { isUuid } from "../../kit/uuid.ts";
import { refusalOf } from "../errors.ts";

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
export type Handlers<Routes extends ApiRoutes> = HandlersOf<Routes, Who>;

/** `identify` @throws ApiError unless the headers say who it is, and they may do this. */
export type ServeOptions = Pick<ServeOptionsOf<Who, Needs>, "identify" | "onBroken">;

/** Ids are UUIDs, and whoever nobody knows learns nothing. Register under the API's prefix. */
export function serveRoutes<Routes extends ApiRoutes>(
  app: FastifyInstance,
  routes: Routes,
  handlers: Handlers<Routes>,
  options: ServeOptions,
): void {
  serve<Routes, Who, Needs>(app, routes, handlers, {
    ...options,
    strayNeeds: "viewer",
    isParameter: (name, value) => !/id$/i.test(name) || isUuid(value),
    refusalOf,
  });
}
