import type { Kysely } from "kysely";
import type { z } from "zod";
import { secretNames, type account, type AccountStatus, type ServiceType } from "../../contract/backlink-api.ts";
import type { Vault } from "../../store/vault.ts";
import { audit } from "../people/audit.ts";
import type { AccountRow, ManagerTables } from "../tables.ts";
import { openOrNull, secretColumns, type SecretName } from "./account-record.ts";
import type { Owned } from "./tenant.ts";

export type ShownAccount = z.input<typeof account>;

export interface Showing {
  db: Kysely<ManagerTables>;
  vault: Vault;
  now: () => number;
}

/** As the API has them: secrets for whom may see them, which the audit log keeps, null for others. @param what they are, for the log */
export async function showAccounts(
  showing: Showing,
  who: Owned,
  rows: readonly (AccountRow & { service_type: string })[],
  what: string,
): Promise<ShownAccount[]> {
  await noteReveal(showing, who, rows, what);
  return rows.map((row) => {
    const { id, group_id, username, email, status, is_indexed, link_rss, note } = row;
    return {
      id,
      group_id,
      service_type: row.service_type as ServiceType,
      website: row.website || row.site,
      username,
      email,
      ...shownSecrets(row, who, showing.vault),
      ...(Object.fromEntries(secretNames.map((name) => [`has_${name}`, has(row, name)])) as Record<`has_${SecretName}`, boolean>),
      active: isActive(row),
      status: status as AccountStatus,
      is_indexed,
      link_rss,
      note,
      created_at: row.created_at.toISOString(),
    };
  });
}

const has = (row: AccountRow, name: SecretName): boolean => row[secretColumns[name]] !== "";
/** Whether its owner wants it used; whether it can be, says the status. */
export const isActive = ({ status }: AccountRow): boolean => status !== "inactive";

/** null for whom may not see them, and where one was sealed with a key that is not given. */
export function shownSecrets(row: AccountRow, { reveals }: Owned, vault: Vault): Record<SecretName, string | null> {
  return Object.fromEntries(secretNames.map((name) => [name, reveals ? openOrNull(vault.bulk, row, secretColumns[name]) : null])) as Record<
    SecretName,
    string | null
  >;
}

async function noteReveal({ db, now }: Showing, who: Owned, rows: readonly AccountRow[], what: string): Promise<void> {
  const howMany = rows.filter((row) => secretNames.some((name) => has(row, name))).length;
  if (who.reveals && howMany > 0) await audit(db, who, { action: "secrets.read", what, howMany }, new Date(now()));
}
