import { sql, type RawBuilder } from "kysely";

/**
 * Whose rows a caller reads and changes: everybody their owner's; API keys that belong to nobody what belongs to nobody.
 */
export function ownedBy(tenant: string | null): RawBuilder<boolean> {
  return tenant === null ? sql<boolean>`user_id is null` : sql<boolean>`user_id = ${tenant}`;
}
