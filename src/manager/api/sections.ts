import { authRoutes } from "../../contract/auth-api.ts";
import { accountRoutes, requestRoutes } from "../../contract/backlink-api.ts";
import { contentRoutes, mediaRoutes } from "../../contract/content-api.ts";
import { workerApiRoutes } from "../../contract/worker-routes.ts";
import type { Needs } from "../../contract/api-route.ts";
import type { ApiSection } from "../../kit/api/book.ts";

/** All that the manager answers. Sign-in first: the rest needs it. */
export const sections: readonly ApiSection<Needs>[] = [
  {
    title: "Sign-in",
    about: "Tokens for people. A token lasts an hour, a refresh token 30 days and one exchange.",
    prefix: "/api/v1/auth",
    routes: authRoutes,
  },
  {
    title: "Groups and accounts",
    about: "Accounts on sites, in groups. Secrets are null in answers unless the token has the scope secrets:read.",
    prefix: "/api/v1/backlink",
    routes: accountRoutes,
  },
  {
    title: "Requests and links",
    about: "Work that is ordered with credits, and what became of it.",
    prefix: "/api/v1/backlink",
    routes: requestRoutes,
  },
  {
    title: "Content",
    about: "Texts with variants and media, which requests take their episodes from. 1,000 calls a second for each key.",
    prefix: "/api/v1",
    routes: { ...contentRoutes, ...mediaRoutes },
  },
  {
    title: "Workers",
    about: "What farms call: tasks are claimed, worked on and reported.",
    prefix: "/api/v1/podcast",
    routes: workerApiRoutes,
  },
];
