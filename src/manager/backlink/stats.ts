import { sql, type Kysely } from "kysely";
import { linkStatuses, requestStatuses, type LinkStatus, type RequestStatus, type ServiceType } from "../../contract/backlink-api.ts";
import type { ManagerTables } from "../tables.ts";
import { countPhases, sizeOf } from "./count-links.ts";
import { branchesAt } from "./link-status.ts";
import { inOneView } from "./one-view.ts";

export interface Stats {
  requests: Record<RequestStatus, number>;
  links: Record<LinkStatus, number>;
}

/** An owner's requests and links by the status that their lists show. @param type null: of all types */
export async function readStats(db: Kysely<ManagerTables>, tenant: string, type: ServiceType | null, now: Date): Promise<Stats> {
  return inOneView(db, async (trx) => {
    const requests = await trx
      .selectFrom("requests as r")
      .select(["r.status", sql<number>`count(*)::int`.as("count")])
      .where("r.user_id", "=", tenant)
      .$if(type !== null, (query) => query.where("r.service_type", "=", type ?? ""))
      .groupBy("r.status")
      .execute();
    const phases = await countPhases(
      trx,
      (all) => all.where("r.user_id", "=", tenant).$if(type !== null, (query) => query.where("r.service_type", "=", type ?? "")),
      now,
    );
    const links = branchesAt(now).map((branch) => ({ status: branch.status, count: sizeOf(branch, phases) }));
    return { requests: counters(requestStatuses, requests), links: counters(linkStatuses, links) };
  });
}

function counters<Word extends string>(words: readonly Word[], rows: readonly { status: Word; count: number }[]): Record<Word, number> {
  const sum = (word: Word): number => rows.filter(({ status }) => status === word).reduce((all, { count }) => all + count, 0);
  return Object.fromEntries(words.map((word) => [word, sum(word)])) as Record<Word, number>;
}
