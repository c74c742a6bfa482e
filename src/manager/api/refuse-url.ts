import type { FastifyRequest } from "fastify";
import type { Needs } from "../../contract/api-route.ts";
import type { ServerOptions } from "../../kit/server.ts";
import { ApiError, encodeError, toApiError } from "../errors.ts";
import type { ServeOptions } from "./serve.ts";

/** By whose rules an address is refused that the router can't read; the first that fits. */
const apis: readonly (readonly [prefix: string, needs: Needs])[] = [
  ["/api/v1/podcast/", "worker"],
  ["/api/v1/auth/", "viewer"],
  ["/api/v1/backlink/", "viewer"],
  ["/api/v1/", "content:read"],
];

/** What can't be decoded is under no address; whoever nobody knows does not learn that. */
export function createRefuseUrl(identify: ServeOptions["identify"]): NonNullable<ServerOptions["refuseUrl"]> {
  return async (request: FastifyRequest) => {
    const path = `${decoded(request.url.split(/[?#]/, 1)[0] ?? "")}/`;
    const needs = apis.find(([prefix]) => path.startsWith(prefix))?.[1] ?? "open";
    const error = await identify(request, needs).then(() => new ApiError("not_found"), toApiError);
    return { code: error.status, body: encodeError(error) };
  };
}

/** Part by part: one that can't be read hides none of the others. */
function decoded(path: string): string {
  return path
    .split("/")
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    })
    .join("/");
}
