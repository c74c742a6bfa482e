import type { Database } from "./tables.ts";
import type { Hand } from "./episodes.ts";

/** At most N sessions on a site at a time, over all farms of one database: a row a session, taken with SKIP LOCKED. */
export async function makeSlots(db: Database, site: string, count: number): Promise<void> {
  const slots = Array.from({ length: count }, (_, slot) => ({ site, slot }));
  await db
    .insertInto("site_slots")
    .values(slots)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Inside a transaction. @returns false when all slots of the site are taken */
export async function takeSlot(trx: Database, site: string, count: number, taskId: string, hand: Hand): Promise<boolean> {
  const free = await trx
    .selectFrom("site_slots")
    .select("slot")
    .where("site", "=", site)
    .where("slot", "<", count)
    .where((where) => where.or([where("holder", "is", null), where("lease_until", "<", hand.now)]))
    .orderBy("slot")
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (!free) return false;
  await trx
    .updateTable("site_slots")
    .set({ holder: hand.holder, task_id: taskId, lease_until: new Date(hand.now.getTime() + hand.leaseMs) })
    .where("site", "=", site)
    .where("slot", "=", free.slot)
    .execute();
  return true;
}

export async function freeSlot(db: Database, taskId: string, holder: string): Promise<void> {
  await db
    .updateTable("site_slots")
    .set({ holder: null, task_id: null, lease_until: null })
    .where("task_id", "=", taskId)
    .where("holder", "=", holder)
    .execute();
}
