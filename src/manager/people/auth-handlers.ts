import type { Kysely } from "kysely";
import type { authRoutes } from "../../contract/auth-api.ts";
import { ApiError } from "../errors.ts";
import type { Handlers } from "../api/serve.ts";
import type { ManagerTables } from "../tables.ts";
import { listAudit } from "./audit.ts";
import { balanceOf } from "./credits.ts";
import type { Tokens, TokenPair } from "./tokens.ts";
import type { Users } from "./users.ts";

const SECRETS = "secrets:read";

/** @param person of a route that needs one */
export function authHandlers({
  db,
  users,
  tokens,
}: {
  db: Kysely<ManagerTables>;
  users: Users;
  tokens: Tokens;
}): Handlers<typeof authRoutes> {
  return {
    async login({ body: { email, password, scope = "" } }) {
      const user = await users.check(email, password);
      if (!user) throw new ApiError("wrong_login");
      const wanted = scope.split(/[\s,]+/).filter(Boolean);
      if (wanted.some((one) => one !== SECRETS)) throw new ApiError("unprocessable", `scope: ${SECRETS}, or nothing`);
      if (wanted.length > 0 && user.role !== "owner") throw new ApiError("not_allowed", `${SECRETS} is for owners`);
      return shown(await tokens.issue(user, wanted[0] ?? ""));
    },
    refresh: async ({ body }) => shown(await tokens.refresh(body.refresh_token)),
    async logout({ body }) {
      await tokens.revoke(body.refresh_token);
      return { success: true };
    },
    async listAudit({ query }, who) {
      if (who.tenant === null) throw new ApiError("invalid_token");
      return { success: true, ...(await listAudit(db, who.tenant, query)), page: query.page, limit: query.limit };
    },
    async me(_given, who) {
      const user = await users.find(who.email);
      if (!user || who.tenant === null) throw new ApiError("invalid_token");
      const { id, email, role } = user;
      return { success: true, user: { id, email, role }, credits: await balanceOf(db, who.tenant), scope: who.reveals ? SECRETS : "" };
    },
  };
}

function shown({ token, expiresAt, refreshToken, refreshExpiresAt }: TokenPair) {
  return {
    success: true as const,
    token,
    expires_at: expiresAt.toISOString(),
    refresh_token: refreshToken,
    refresh_expires_at: refreshExpiresAt.toISOString(),
  };
}
