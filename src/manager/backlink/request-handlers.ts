import type { requestRoutes } from "../../contract/backlink-api.ts";
import type { Handlers } from "../api/serve.ts";
import { ApiError } from "../errors.ts";
import { linkHandlers } from "./link-handlers.ts";
import type { EpisodesOfContent } from "./make-work.ts";
import type { RequestParts, RequestTools } from "./request-tools.ts";
import { listProjects, listRequests } from "./requests.ts";
import { singleRequestHandlers } from "./single-request-handlers.ts";
import { readStats } from "./stats.ts";
import { owned } from "./tenant.ts";

const noContents: EpisodesOfContent = async () => {
  throw new ApiError("unprocessable", "content_ids: not known here");
};

/** Projects, requests, links and stats: rows B1 and B15-B25. */
export function requestHandlers(parts: RequestParts): Handlers<typeof requestRoutes> {
  const { db, now, episodesOfContent = noContents } = parts;
  const clock = (): Date => new Date(now());
  const tools: RequestTools = {
    ...parts,
    episodesOfContent,
    clock,
    change: async (step) => db.transaction().execute(async (trx) => step(trx, clock())),
  };
  return {
    ...singleRequestHandlers(tools),
    ...linkHandlers(tools),

    async listProjects({ query }, who) {
      const { page, limit } = query;
      return { success: true, ...(await listProjects(db, owned(who).tenant, query)), page, limit };
    },
    async listRequests({ params, query }, who) {
      const { page, limit } = query;
      return { success: true, ...(await listRequests(db, owned(who).tenant, params.type, query)), page, limit };
    },
    readStats: async (_given, who) => ({ success: true, data: await readStats(db, owned(who).tenant, null, clock()) }),
    readTypeStats: async ({ params }, who) => ({
      success: true,
      data: await readStats(db, owned(who).tenant, params.type, clock()),
    }),
  };
}
