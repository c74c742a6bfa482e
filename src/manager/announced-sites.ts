import { sql, type Kysely } from "kysely";
import { anyOf } from "./any-of.ts";
import type { Caller } from "./caller.ts";
import type { LinkKind, ManagerTables } from "./tables.ts";

/** Written again after this long although nothing changed, so that `seen_at` says whether the farm still lives, ms. */
const REFRESH_MS = 5 * 60_000;
const MAX_KNOWN = 10_000;

export type Announced = Record<LinkKind, Set<string> | null>;

/** Remembers which sites each farm can drive, so that people are told why a task waits. */
export interface AnnouncedSites {
  /** Cheap when the farm says what it said before. */
  remember(caller: Caller, kind: LinkKind, sites: readonly string[], now: Date): Promise<void>;
  /** Every site on which some farm does this, or null as long as no farm has said anything: then nothing counts as unsupported. */
  all(): Promise<Announced>;
}

export function createAnnouncedSites(db: Kysely<ManagerTables>): AnnouncedSites {
  const known = new Map<string, { list: string; at: number }>();
  return {
    async remember({ holder }, kind, sites, now) {
      const list = sites.toSorted().join(",");
      const key = `${kind} ${holder}`;
      const before = known.get(key);
      if (before?.list === list && now.getTime() - before.at < REFRESH_MS) return;
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("announced_sites").where("holder", "=", holder).where("kind", "=", kind).execute();
        if (sites.length === 0) return;
        await trx
          .insertInto("announced_sites")
          .values(sites.toSorted().map((site) => ({ holder, kind, site, seen_at: now })))
          .onConflict((conflict) => conflict.columns(["holder", "kind", "site"]).doUpdateSet({ seen_at: now }))
          .execute();
        // What no farm could drive until now. Several farms may say so at once.
        await trx
          .with("found", (own) =>
            own
              .selectFrom("accounts")
              .select("id")
              .where("status", "=", sql.lit("unsupported"))
              .where("site", "=", anyOf(sites))
              .orderBy("id")
              .forNoKeyUpdate(),
          )
          .updateTable("accounts as a")
          .from("found")
          .whereRef("a.id", "=", "found.id")
          .set({ status: "active", updated_at: now })
          .execute();
      });
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(key, { list, at: now.getTime() });
    },

    async all() {
      const rows = await db.selectFrom("announced_sites").select(["kind", "site"]).distinct().execute();
      const of = (kind: LinkKind): Set<string> | null => {
        const sites = rows.filter((row) => row.kind === kind).map(({ site }) => site);
        return sites.length === 0 ? null : new Set(sites);
      };
      return { primary: of("primary"), secondary: of("secondary") };
    },
  };
}
