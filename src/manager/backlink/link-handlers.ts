import type { requestRoutes } from "../../contract/backlink-api.ts";
import type { Handlers, Who } from "../api/serve.ts";
import { audit } from "../people/audit.ts";
import { exportLinks } from "./exports/links.ts";
import { deleteLink, retryLink, retryLinks } from "./link-life.ts";
import { listLinks, readLink } from "./links.ts";
import type { RequestTools } from "./request-tools.ts";
import type { RequestKey } from "./request-life.ts";
import type { LinksOf, LinksParts } from "./shown-links.ts";
import { owned } from "./tenant.ts";

type Names = "listLinks" | "exportLinks" | "retryLink" | "retryLinks" | "deleteLink";

const linksOf = ({ type, id }: LinksOf): LinksOf => ({ type, id });
const keyOf = (params: LinksOf, who: Who): RequestKey => ({ ...linksOf(params), tenant: owned(who).tenant });

/** What a request's accounts make. */
export function linkHandlers({ db, vault, clock, change }: RequestTools): Pick<Handlers<typeof requestRoutes>, Names> {
  const parts = (): LinksParts => ({ db, vault, now: clock() });
  return {
    async listLinks({ params, query }, who) {
      const { page, limit } = query;
      return { success: true, ...(await listLinks(parts(), owned(who), linksOf(params), query)), page, limit };
    },
    exportLinks: async ({ params, query }, who) => exportLinks(parts(), owned(who), linksOf(params), query.format),
    async retryLink({ params }, who) {
      await change(async (trx, now) => retryLink(trx, keyOf(params, who), params.linkId, now));
      return readLink(parts(), owned(who), linksOf(params), params.linkId);
    },
    async retryLinks({ params }, who) {
      return { success: true, retried: await change(async (trx, now) => retryLinks(trx, keyOf(params, who), now)) };
    },
    async deleteLink({ params }, who) {
      await change(async (trx, now) => {
        await deleteLink(trx, keyOf(params, who), params.linkId, now);
        await audit(trx, owned(who), { action: "delete", what: `link ${params.linkId} of request ${params.id}` }, now);
      });
      return { success: true };
    },
  };
}
