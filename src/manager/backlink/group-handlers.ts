import type { accountRoutes } from "../../contract/backlink-api.ts";
import type { Handlers } from "../api/serve.ts";
import { audit } from "../people/audit.ts";
import type { GroupRow } from "../tables.ts";
import { makingNow, type AccountParts } from "./account-parts.ts";
import type { Making } from "./account-record.ts";
import { orderChecks } from "./checks.ts";
import { exportGroup } from "./exports/accounts.ts";
import { changeGroup, deleteGroup, findGroup, insertGroup, listGroups, showGroup, withCounts, type ShownGroup } from "./groups.ts";
import { importGroup, prepareImport, writeImport } from "./import-accounts.ts";
import { createTurns } from "./import-turns.ts";
import { readSupportedSites } from "./supported-sites.ts";
import { owned } from "./tenant.ts";

type Routes = typeof accountRoutes;
type GroupRouteName =
  | "createGroup"
  | "listGroups"
  | "importGroup"
  | "readGroup"
  | "changeGroup"
  | "deleteGroup"
  | "exportGroup"
  | "importAccounts"
  | "checkAll";

export function groupHandlers(parts: AccountParts): Pick<Handlers<Routes>, GroupRouteName> {
  const { db, announced, now } = parts;
  const clock = (): Date => new Date(now());
  const inTurn = createTurns();
  const inBulk = async (): Promise<Making> => makingNow(parts, parts.vault.bulk);
  const show = async (row: GroupRow): Promise<ShownGroup> => showGroup((await withCounts(db, [row]))[0]!);

  return {
    async createGroup({ body: { name, service_type: serviceType, accounts = [], skip_unsupported: skipUnsupported } }, someone) {
      const { tenant } = owned(someone);
      if (accounts.length === 0) return show(await insertGroup(db, { tenant, name, serviceType }, clock()));
      const { row, counted } = await inTurn(tenant, async () => {
        const making = await inBulk();
        const prepared = await prepareImport({ rows: accounts, skipUnsupported }, making.supported);
        return importGroup(db, { tenant, name, serviceType }, prepared, false, making);
      });
      const { imported, duplicates, unsupported, failed } = counted;
      return { group: await show(row), imported, skipped: duplicates + unsupported, failed };
    },

    async listGroups({ query }, someone) {
      const { rows, total } = await listGroups(db, owned(someone).tenant, query);
      return { success: true, data: rows.map(showGroup), total, page: query.page, limit: query.limit };
    },

    async importGroup({ body: { name, service_type: serviceType, accounts, skip_unsupported: skipUnsupported, overwrite } }, someone) {
      const { tenant } = owned(someone);
      return inTurn(tenant, async () => {
        const making = await inBulk();
        const prepared = await prepareImport({ rows: accounts, skipUnsupported }, making.supported);
        const { row, counted } = await importGroup(db, { tenant, name, serviceType }, prepared, overwrite, making);
        return { group: { id: row.id, name }, ...counted };
      });
    },

    readGroup: async ({ params }, who) => show(await findGroup(db, owned(who).tenant, params.id)),
    changeGroup: async ({ params, body }, who) => show(await changeGroup(db, owned(who).tenant, params.id, body, clock())),

    async deleteGroup({ params: { id } }, someone) {
      const who = owned(someone);
      await db.transaction().execute(async (trx) => {
        const { name } = await deleteGroup(trx, who.tenant, id);
        await audit(trx, who, { action: "delete", what: `group ${id} (${name})` }, clock());
      });
      return { success: true };
    },

    exportGroup: async ({ params, query }, who) => exportGroup(parts, owned(who), params.id, query.format),

    async importAccounts({ params: { id }, body: { accounts, overwrite, skip_unsupported: skipUnsupported } }, someone) {
      const { tenant } = owned(someone);
      await findGroup(db, tenant, id);
      return inTurn(tenant, async () => {
        const making = await inBulk();
        const prepared = await prepareImport({ rows: accounts, skipUnsupported }, making.supported);
        return writeImport(db, { tenant, groupId: id, overwrite }, prepared, making);
      });
    },

    async checkAll({ params: { id } }, someone) {
      const { tenant } = owned(someone);
      await findGroup(db, tenant, id);
      const { jobId, total } = await orderChecks(db, tenant, { groupId: id }, await readSupportedSites(announced), clock());
      return { success: true, job_id: jobId, total };
    },
  };
}
