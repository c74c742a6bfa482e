import type { FastifyRequest } from "fastify";
import type { Needs } from "../../contract/api-route.ts";
import type { Role } from "../../contract/auth-api.ts";
import { workerHeaders } from "../../contract/worker-api.ts";
import { authenticate } from "../caller.ts";
import { ApiError } from "../errors.ts";
import type { Keys } from "../keys.ts";
import type { Tokens } from "../people/tokens.ts";
import type { ServeOptions, Who } from "./serve.ts";

const ranks: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, owner: 2 };
/** What a key's scope is to a person: reading, or working. */
const asRole = { "content:read": "viewer", "content:write": "operator" } as const;

const nobody: Who = { tenant: null, email: "", reveals: false };

/** @param reveal the operator's switch: secrets in all answers, as the text of the API has them */
export function createIdentify({ tokens, keys, reveal }: { tokens: Tokens; keys: Keys; reveal: boolean }): ServeOptions["identify"] {
  return async (request: FastifyRequest, needs: Needs): Promise<Who> => {
    if (needs === "open") return nobody;
    const byScope = needs === "content:read" || needs === "content:write";
    // These take a person's token as well; who brings neither is told of the key, which is what their texts ask for.
    const bringsKey = request.headers[workerHeaders.apiKey] !== undefined || request.headers.authorization === undefined;
    if (needs === "worker" || (byScope && bringsKey)) {
      const key = await authenticate(request.headers, keys, needs);
      return { tenant: key.tenant, email: key.name, reveals: false };
    }
    const person = await tokens.verify(request.headers.authorization);
    const role = byScope ? asRole[needs] : needs;
    if (ranks[person.role] < ranks[role]) throw new ApiError("not_allowed", `it takes an ${role}`);
    return { tenant: person.tenant, email: person.email, reveals: reveal || person.scope === "secrets:read" };
  };
}
