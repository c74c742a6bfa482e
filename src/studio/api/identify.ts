import type { FastifyRequest } from "fastify";
import type { PodopsNeeds } from "../../contract/podops-api.ts";
import type { StudioContext } from "../context.ts";
import type { Owner } from "../resources/find.ts";
import { Rejected } from "../resources/problems.ts";
import type { TokenFacts, Tokens } from "./tokens.ts";

/** Who calls. */
export interface Caller extends TokenFacts {
  /** The subject's account; null: it has made nothing as yet. */
  owner: Owner;
}

const nobody: Caller = { subject: "", scopes: [], expiresAt: new Date(0), owner: null };

/** Nothing is looked at before it is known who calls. */
export function createIdentify({ db }: StudioContext, tokens: Tokens): (request: FastifyRequest, needs: PodopsNeeds) => Promise<Caller> {
  return async ({ headers }, needs) => {
    if (needs === "open") return nobody;
    if (needs === "admin") {
      await tokens.verifyAdmin(headers.authorization);
      return nobody;
    }
    const facts = await tokens.verify(headers.authorization);
    if (needs !== "token" && !facts.scopes.includes(needs)) throw new Rejected(403, `The token lacks the scope ${needs}.`);
    const owner = await db
      .selectFrom("accounts")
      .select(["id", "email"])
      .where("email", "=", facts.subject.toLowerCase())
      .executeTakeFirst();
    return { ...facts, owner: owner ?? null };
  };
}
