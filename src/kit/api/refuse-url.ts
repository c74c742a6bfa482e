import type { FastifyRequest } from "fastify";
import type { ServerOptions } from "../server.ts";
import { BadCall } from "./bad-call.ts";
import type { ServeOptions } from "./serve.ts";

/**
 * What can't be decoded is under no address; whoever nobody knows does not learn that.
 * @param apis by whose rules an address is refused that the router can't read; the first whose prefix fits
 * @param otherwise where none does
 */
export function createRefuseUrl<Who, Need extends string>(
  { identify, refusalOf }: Pick<ServeOptions<Who, Need>, "identify" | "refusalOf">,
  apis: readonly (readonly [prefix: string, needs: Need])[],
  otherwise: Need,
): NonNullable<ServerOptions["refuseUrl"]> {
  return async (request: FastifyRequest) => {
    const path = `${decoded(request.url.split(/[?#]/, 1)[0] ?? "")}/`;
    const needs = apis.find(([prefix]) => path.startsWith(prefix))?.[1] ?? otherwise;
    const { status, body } = await identify(request, needs).then(() => refusalOf(new BadCall("no_address")), refusalOf);
    return { code: status, body };
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
