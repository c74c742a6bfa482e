import type { Kysely } from "kysely";
import type { AuditedAction } from "../../../contract/auth-api.ts";
import { audit } from "../../people/audit.ts";
import type { ManagerTables } from "../../tables.ts";
import type { Owned } from "../tenant.ts";

/** Written before the first row is sent: there is no export without its lines in the audit log, also when it breaks off. */
export async function noteExport(
  db: Kysely<ManagerTables>,
  who: Owned,
  { action, what, howMany, secrets }: { action: AuditedAction; what: string; howMany: number; /** Rows that have some. */ secrets: number },
  now: Date,
): Promise<void> {
  // Also of none: some may come while the export goes out.
  if (who.reveals) await audit(db, who, { action: "secrets.read", what, howMany: secrets }, now);
  await audit(db, who, { action, what, howMany }, now);
}
