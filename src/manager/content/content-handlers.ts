import type { Kysely } from "kysely";
import type { contentRoutes } from "../../contract/content-api.ts";
import type { Handlers } from "../api/serve.ts";
import { audit } from "../people/audit.ts";
import type { ManagerTables } from "../tables.ts";
import { changeContent, createContent, listContents, removeContent } from "./contents.ts";
import { createContentReader, toMedium, toVariant, type MediaUrl } from "./documents.ts";
import { listTags } from "./tags.ts";
import { take } from "./take.ts";

interface ContentParts {
  db: Kysely<ManagerTables>;
  /** Epoch, ms. */
  now: () => number;
  mediaUrl: MediaUrl;
  /** From 0 to below 1; absent: the machine's own. */
  random?: () => number;
}

export function contentHandlers({ db, now, mediaUrl, random = Math.random }: ContentParts): Handlers<typeof contentRoutes> {
  const read = createContentReader(db, mediaUrl);
  const one = async (tenant: string | null, id: string) => ({
    success: true as const,
    content: await read(tenant, id),
  });

  return {
    getById: async ({ params }, { tenant }) => one(tenant, params.id),
    async listContent({ query }, { tenant }) {
      const { page, limit } = query;
      return { success: true, ...(await listContents(db, tenant, query, mediaUrl)), page, limit };
    },
    createContent: async ({ body }, { tenant }) => one(tenant, await createContent(db, tenant, body, new Date(now()))),
    async changeContent({ params, body }, { tenant }) {
      await changeContent(db, tenant, params.id, body, new Date(now()));
      return one(tenant, params.id);
    },
    async deleteContent({ params }, { tenant, email }) {
      await db.transaction().execute(async (trx) => {
        await removeContent(trx, tenant, params.id);
        // The log is an owner's; what belonged to nobody is missed by nobody.
        if (tenant !== null) await audit(trx, { tenant, email }, { action: "delete", what: `content ${params.id}` }, new Date(now()));
      });
      return { success: true };
    },
    async take({ params, body }, { tenant }) {
      const order = { contentId: params.id, key: body.key };
      const { variant, medium } = await db.transaction().execute(async (trx) => take(trx, tenant, order, { now, random }));
      return { success: true, variant: toVariant(variant, mediaUrl), media: medium && toMedium(medium, mediaUrl) };
    },
    async listTags({ query }, { tenant }) {
      const { page, limit } = query;
      return { success: true, ...(await listTags(db, tenant, query)), page, limit };
    },
  };
}
