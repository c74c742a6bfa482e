import type { Database } from "../tables.ts";

/** Named places of the farm, as many as run at a time: "slot-1" … "slot-N". An account belongs to one, and a slot does one task at a time. */
export function slotNames(concurrency: number): string[] {
  return Array.from({ length: Math.max(1, concurrency) }, (_, index) => `slot-${index + 1}`);
}

/** Those of this farm, and any that accounts were given by name. */
export async function allSlots(db: Database, concurrency: number): Promise<string[]> {
  const given = await db.selectFrom("local_accounts").select("serial").distinct().orderBy("serial").execute();
  return [...new Set([...slotNames(concurrency), ...given.map(({ serial }) => serial)])];
}

/** The one with the fewest accounts: the first of those. */
export function emptiest(counts: ReadonlyMap<string, number>): string {
  const [name = "slot-1"] = [...counts].toSorted(([, a], [, b]) => a - b)[0] ?? [];
  return name;
}
