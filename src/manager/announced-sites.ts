import type { Kysely } from "kysely";
import type { Caller } from "./caller.ts";
import type { ManagerTables } from "./tables.ts";

/** Written again after this long although nothing changed, so that `seen_at` says whether the farm still lives, ms. */
const REFRESH_MS = 5 * 60_000;
const MAX_KNOWN = 10_000;

/** Remembers which sites each farm can drive, so that people are told why a task waits. */
export interface AnnouncedSites {
  /** Cheap when the farm says what it said before. */
  remember(caller: Caller, sites: readonly string[], now: Date): Promise<void>;
  /** Every site that some farm drives, or null as long as no farm has said anything: then nothing counts as unsupported. */
  all(): Promise<Set<string> | null>;
}

export function createAnnouncedSites(db: Kysely<ManagerTables>): AnnouncedSites {
  const known = new Map<string, { list: string; at: number }>();
  return {
    async remember({ holder }, sites, now) {
      const list = sites.toSorted().join(",");
      const before = known.get(holder);
      if (before?.list === list && now.getTime() - before.at < REFRESH_MS) return;
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("announced_sites").where("holder", "=", holder).execute();
        if (sites.length === 0) return;
        await trx
          .insertInto("announced_sites")
          .values(sites.toSorted().map((site) => ({ holder, site, seen_at: now })))
          .onConflict((conflict) => conflict.columns(["holder", "site"]).doUpdateSet({ seen_at: now }))
          .execute();
      });
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(holder, { list, at: now.getTime() });
    },

    async all() {
      const rows = await db.selectFrom("announced_sites").select("site").distinct().execute();
      return rows.length === 0 ? null : new Set(rows.map(({ site }) => site));
    },
  };
}
