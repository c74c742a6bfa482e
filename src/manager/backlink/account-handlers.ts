import type { accountRoutes } from "../../contract/backlink-api.ts";
import type { Handlers } from "../api/serve.ts";
import { audit } from "../people/audit.ts";
import { makingNow, type AccountParts } from "./account-parts.ts";
import { changeAccount, countSites, createAccount, deleteAccount, deleteAccounts, findAccount } from "./accounts-of-group.ts";
import { orderChecks, readJob } from "./checks.ts";
import { exportAccounts } from "./exports/accounts.ts";
import { groupHandlers } from "./group-handlers.ts";
import { listAccounts } from "./list-accounts.ts";
import { showAccounts, type ShownAccount } from "./shown-accounts.ts";
import { readSupportedSites } from "./supported-sites.ts";
import { owned, type Owned } from "./tenant.ts";

/** Groups, accounts and their checks: rows B2-B14 and B26. */
export function accountHandlers(parts: AccountParts): Handlers<typeof accountRoutes> {
  const { db, announced, now } = parts;
  const clock = (): Date => new Date(now());

  const show = async (who: Owned, id: string): Promise<ShownAccount> => {
    const [account] = await showAccounts(parts, who, [await findAccount(db, who.tenant, id)], `account ${id}`);
    return account!;
  };

  return {
    ...groupHandlers(parts),

    async createAccount({ params, body }, someone) {
      const who = owned(someone);
      return show(who, await createAccount(db, who.tenant, params.id, body, await makingNow(parts, parts.vault)));
    },

    async listAccounts({ params: { id }, query }, someone) {
      const who = owned(someone);
      const { rows, total } = await listAccounts(db, who.tenant, id, query);
      const data = await showAccounts(parts, who, rows, `accounts of group ${id}`);
      return { success: true, data, total, page: query.page, limit: query.limit };
    },

    readAccount: async ({ params }, who) => show(owned(who), params.id),

    async changeAccount({ params: { id }, body }, someone) {
      const who = owned(someone);
      await changeAccount(db, who.tenant, id, body, await makingNow(parts, parts.vault));
      return show(who, id);
    },

    async deleteAccount({ params: { id } }, someone) {
      const who = owned(someone);
      await db.transaction().execute(async (trx) => {
        await deleteAccount(trx, who.tenant, id);
        await audit(trx, who, { action: "delete", what: `account ${id}` }, clock());
      });
      return { success: true };
    },

    async deleteAccounts({ body: { ids } }, someone) {
      const who = owned(someone);
      const results = await db.transaction().execute(async (trx) => {
        const deleted = await deleteAccounts(trx, who.tenant, ids);
        const gone = [...new Set(deleted.filter(({ ok }) => ok).map(({ id }) => id.toLowerCase()))];
        if (gone.length > 0) await audit(trx, who, { action: "delete", what: `accounts ${gone.join(" ")}`, howMany: gone.length }, clock());
        return deleted;
      });
      return { success: true, results };
    },

    exportAccounts: async ({ query, body: { ids } }, who) => exportAccounts(parts, owned(who), ids, query.format),

    async checkAccount({ params: { id } }, someone) {
      const { tenant } = owned(someone);
      await findAccount(db, tenant, id);
      const { jobId, total } = await orderChecks(db, tenant, { accountId: id }, await readSupportedSites(announced), clock());
      return { success: true, job_id: jobId, total };
    },

    readJob: async ({ params }, who) => readJob(db, owned(who).tenant, params.id),

    async countSites({ query: { type } }, who) {
      return { success: true, data: { type: type ?? "", count: await countSites(db, owned(who).tenant, type) } };
    },
  };
}
