import { sql, type Kysely } from "kysely";
import type { ManagerTables } from "../tables.ts";

/** How many there are under each word; absent: none. */
export type Tally = Readonly<Record<string, number>>;

/** Of requests or groups. */
export async function readTallies(db: Kysely<ManagerTables>, ids: readonly string[]): Promise<Map<string, Tally>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("tallies")
    .select(["of_id", "word", sql<number>`sum(n)::int`.as("n")])
    .where("of_id", "in", ids)
    .groupBy(["of_id", "word"])
    .execute();
  const tallies = new Map<string, Record<string, number>>();
  for (const { of_id, word, n } of rows) tallies.set(of_id, { ...tallies.get(of_id), [word]: n });
  return tallies;
}

export function sumOf(tally: Tally): number {
  return Object.values(tally).reduce((sum, n) => sum + n, 0);
}
