import { sql, type Kysely } from "kysely";
import type { z } from "zod";
import { secretNames, type exportedAccount, type ServiceType } from "../../../contract/backlink-api.ts";
import type { Vault } from "../../../store/vault.ts";
import type { Streamed } from "../../../kit/api/stream-answer.ts";
import { isUuid } from "../../../kit/uuid.ts";
import type { AccountRow, ManagerTables } from "../../tables.ts";
import { secretColumns } from "../account-record.ts";
import { accountsOf } from "../accounts-of-group.ts";
import { findGroup } from "../groups.ts";
import { isActive, shownSecrets } from "../shown-accounts.ts";
import type { Owned } from "../tenant.ts";
import { asCsv, asJson } from "./formats.ts";
import { noteExport } from "./note-export.ts";
import { rowsInOrder } from "./rows-after.ts";
import { streamRows } from "./stream-rows.ts";

type Db = Kysely<ManagerTables>;
type ExportedAccount = z.input<typeof exportedAccount>;
type Of = { groupId: string } | { ids: readonly string[] };

interface Exporting {
  db: Db;
  vault: Vault;
  now: () => number;
}

/** As an import takes it. @throws ApiError not_found */
export async function exportGroup(exporting: Exporting, who: Owned, id: string, format: Streamed["format"]): Promise<Streamed> {
  const { name, service_type } = await findGroup(exporting.db, who.tenant, id);
  const head = { name, service_type: service_type as ServiceType };
  return exportOf(exporting, who, { groupId: id }, { what: `group ${id} (${name})`, head, format });
}

/** Of the ids those that are the owner's accounts, as an import takes them. */
export async function exportAccounts(
  exporting: Exporting,
  who: Owned,
  ids: readonly string[],
  format: Streamed["format"],
): Promise<Streamed> {
  return exportOf(exporting, who, { ids: ids.filter(isUuid) }, { what: "accounts by id", head: {}, format });
}

interface Wanted {
  /** For the log. */
  what: string;
  head: object;
  format: Streamed["format"];
}

async function exportOf({ db, vault, now }: Exporting, who: Owned, of: Of, { what, head, format }: Wanted): Promise<Streamed> {
  const counted = await count(db, who.tenant, of);
  await noteExport(db, who, { action: "accounts.export", what, ...counted }, new Date(now()));
  const show = (row: AccountRow): ExportedAccount => exported(row, who, vault);
  return streamRows(
    accountsInOrder(db, who.tenant, of),
    format === "csv" ? asCsv(columns(who), "import", show) : asJson({ ...head }, "accounts", show),
  );
}

/** Of a CSV. One of masked secrets has none for them: an import would take an empty field for "no password". */
function columns({ reveals }: Owned): (keyof ExportedAccount)[] {
  return ["website", "username", "email", ...(reveals ? secretNames : []), "note", "active"];
}

function exported(row: AccountRow, who: Owned, vault: Vault): ExportedAccount {
  return {
    website: row.website || row.site,
    username: row.username,
    email: row.email,
    ...shownSecrets(row, who, vault),
    note: row.note,
    active: isActive(row),
  };
}

function chosen(db: Db, tenant: string, of: Of) {
  return accountsOf(db, tenant).where((eb) =>
    "groupId" in of ? eb("a.group_id", "=", of.groupId) : of.ids.length > 0 ? eb("a.id", "in", of.ids) : eb.lit(false),
  );
}

async function count(db: Db, tenant: string, of: Of): Promise<{ howMany: number; secrets: number }> {
  return chosen(db, tenant, of)
    .clearSelect()
    .select(({ fn, or, eb }) => [
      sql<number>`count(*)::int`.as("howMany"),
      fn
        .countAll<number>()
        .filterWhere(or(secretNames.map((name) => eb(`a.${secretColumns[name]}`, "<>", ""))))
        .as("secrets"),
    ])
    .executeTakeFirstOrThrow();
}

/** The oldest first, so that an import of it makes the same list. */
function accountsInOrder(db: Db, tenant: string, of: Of) {
  const all = chosen(db, tenant, of);
  return rowsInOrder({
    ofMoment: async ({ created_at, id }, limit) =>
      all.where("a.created_at", "=", created_at).where("a.id", ">", id).orderBy("a.id").limit(limit).execute(),
    beyond: async (place, limit) =>
      all
        .$if(place !== null, (query) => query.where("a.created_at", ">", place?.created_at ?? new Date(0)))
        .orderBy("a.created_at")
        .orderBy("a.id")
        .limit(limit)
        .execute(),
  });
}
