import { z } from "zod";
import { anyOf, done, limit, listOf, page, search, time, uuid, type ApiRoutes } from "./api-route.ts";

export const roles = ["owner", "operator", "viewer"] as const;
export type Role = (typeof roles)[number];

export const auditedActions = [
  "secrets.read",
  "accounts.export",
  "requests.export",
  "links.export",
  "delete",
  "credits.add",
  "user.add",
  "user.remove",
  "user.role",
  "user.password",
  "key.create",
  "key.revoke",
] as const;
export type AuditedAction = (typeof auditedActions)[number];

const tokens = z.object({
  success: z.literal(true),
  /** For `Authorization: Bearer …`, an hour. */
  token: z.string(),
  expires_at: time,
  /** Good for one exchange. A second use of the same one ends all that came of that sign-in. */
  refresh_token: z.string(),
  refresh_expires_at: time,
});

/** Under /api/v1/auth. */
export const authRoutes = {
  login: {
    method: "POST",
    path: "/login",
    summary: "Signs in with e-mail and password",
    needs: "open",
    body: z.object({
      email: z.string().max(320),
      password: z.string().max(1000),
      scope: z.string().max(200).optional().describe('"secrets:read": secrets in answers, for owners'),
    }),
    answer: tokens,
  },
  refresh: {
    method: "POST",
    path: "/refresh",
    summary: "A new pair of tokens for a refresh token",
    needs: "open",
    body: z.object({ refresh_token: z.string().max(200) }),
    answer: tokens,
  },
  logout: {
    method: "POST",
    path: "/logout",
    summary: "Ends this sign-in and all that was refreshed from it",
    needs: "open",
    body: z.object({ refresh_token: z.string().max(200) }),
    answer: done,
  },
  me: {
    method: "GET",
    path: "/me",
    summary: "Who is signed in, and the credits that are left",
    needs: "viewer",
    answer: z.object({
      success: z.literal(true),
      user: z.object({ id: uuid, email: z.string(), role: z.enum(roles) }),
      credits: z.number().int(),
      scope: z.string(),
    }),
  },
  listAudit: {
    method: "GET",
    path: "/audit",
    summary: "Who deleted, exported, saw secrets, changed people, keys and credits; the newest first",
    needs: "owner",
    query: z.object({ page, limit, action: anyOf(auditedActions), search }),
    answer: listOf(
      z.object({
        id: z.number().int(),
        at: time,
        email: z.string().describe('who did it; a key by its name, "podcrew" for a command on the manager\'s machine'),
        action: z.string(),
        what: z.string(),
        how_many: z.number().int(),
      }),
    ),
  },
} as const satisfies ApiRoutes;
