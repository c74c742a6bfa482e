import { sql, type RawBuilder } from "kysely";
import type { LinkStatus } from "../../contract/backlink-api.ts";
import type { TaskState } from "../../contract/states.ts";
import { heldStates } from "../lease.ts";
import type { LinkPhase } from "../tables.ts";

/** Nobody has completed, failed or canceled it. */
export const openStates: readonly TaskState[] = ["waiting", ...heldStates];

interface Shown {
  status: LinkStatus;
  /** Until then it has another. */
  first?: { status: LinkStatus; until: RawBuilder<Date> };
}

/** As the indexes have them. */
export const leaseUntil = sql<Date>`coalesce(l.lease_until, '-infinity'::timestamptz)`;
export const nextAt = sql<Date>`l.next_at`;

/**
 * The status of a link by its phase, as people see it; lists, filters and counters all go by this table. Waiting for a feed or
 * for the next try is pending. A lease that ran out makes it queued again, as in lease.ts.
 */
const shownAs: Readonly<Record<LinkPhase, Shown>> = {
  awaiting_feed: { status: "pending" },
  backing_off: { status: "queued", first: { status: "pending", until: nextAt } },
  waiting: { status: "queued" },
  claimed: { status: "queued" },
  running: { status: "queued", first: { status: "running", until: leaseUntil } },
  needs_person: { status: "queued", first: { status: "running", until: leaseUntil } },
  unsure: { status: "queued", first: { status: "running", until: leaseUntil } },
  completed: { status: "completed" },
  failed: { status: "failed" },
  canceled: { status: "canceled" },
};

export const linkPhases = Object.keys(shownAs) as LinkPhase[];
/** Those of the links that nobody has completed, failed or canceled, as the indexes have them. */
export const openPhases = linkPhases.filter((phase) => phase !== "completed" && phase !== "failed" && phase !== "canceled");
/** Their links have one status until a moment and another afterwards. */
export const leasedPhases = linkPhases.filter((phase) => shownAs[phase].first?.until === leaseUntil);

/** Links of one phase that have one status at the moment. */
export interface Branch {
  phase: LinkPhase;
  status: LinkStatus;
  /** The earlier of two. */
  isFirst: boolean;
  /** null: all of the phase. */
  holds: RawBuilder<boolean> | null;
}

/** All links, whatever their status is at the moment. */
export const wholePhases: readonly Branch[] = linkPhases.map((phase) => ({
  phase,
  status: shownAs[phase].status,
  isFirst: false,
  holds: null,
}));

/** All links, each in one branch. */
export function branchesAt(now: Date): Branch[] {
  return linkPhases.flatMap((phase): Branch[] => {
    const { status, first } = shownAs[phase];
    if (!first) return [{ phase, status, isFirst: false, holds: null }];
    const { until } = first;
    return [
      { phase, status: first.status, isFirst: true, holds: sql<boolean>`${until} > ${now}` },
      { phase, status, isFirst: false, holds: sql<boolean>`${until} <= ${now}` },
    ];
  });
}

/** The status of the link `l` at this moment. */
export function linkStatus(now: Date): RawBuilder<LinkStatus> {
  const cases = branchesAt(now).map(
    ({ phase, status, isFirst, holds }) =>
      sql`when l.phase = ${sql.lit(phase)}${isFirst ? sql` and ${holds ?? sql.lit(true)}` : sql``} then ${sql.lit(status)}`,
  );
  return sql<LinkStatus>`case ${sql.join(cases, sql` `)} end`;
}
