import { sql, type Kysely, type SelectQueryBuilder } from "kysely";
import type { LinkPhase, ManagerTables } from "../tables.ts";
import { leaseUntil, leasedPhases, nextAt, type Branch } from "./link-status.ts";

/** Of a phase: how many links there are, and how many of them have the earlier of its two statuses. */
export interface PhaseCount {
  all: number;
  first: number;
}

export type PhaseCounts = ReadonlyMap<LinkPhase, PhaseCount>;

type WithRequests = ManagerTables & { r: ManagerTables["requests"] };

/** Counting goes by the side that has fewer links, as far as it has not more than this. */
const FEW = 200;

/** Each with what its index has, which the planner asks for by name. */
const isOf = {
  leased: sql`l.phase in (${sql.join(leasedPhases.map((phase) => sql.lit(phase)))})`,
  delayed: sql`l.phase = 'backing_off'`,
};

/** Whether the farms are at work or have gone away: most leases last, or most have run out. The same for delays. */
function howManyLast(of: keyof typeof isOf, now: Date) {
  const until = of === "leased" ? leaseUntil : nextAt;
  const links = sql`from manager.links l where l.request_id = p.id and l.phase = p.phase and ${isOf[of]}`;
  const few = (where: ReturnType<typeof sql>) =>
    sql`(select count(*)::int as n from (select ${links} and ${where} limit ${sql.lit(FEW)}) l)`;
  return sql<number>`(select case
      when early.n < ${sql.lit(FEW)} then early.n
      when late.n < ${sql.lit(FEW)} then p.n - late.n
      else (select count(*)::int ${links} and ${until} > ${now}) end
    from ${few(sql`${until} > ${now}`)} early, ${few(sql`${until} <= ${now}`)} late)`;
}

/**
 * How many links requests have in each phase, from the tallies: no link is looked at but those whose status depends on the clock.
 * @param now null: which of its statuses a link has is not asked
 */
export async function countPhases(
  db: Kysely<ManagerTables>,
  choose: (requests: SelectQueryBuilder<WithRequests, "r", object>) => SelectQueryBuilder<WithRequests, "r", object>,
  now: Date | null,
): Promise<PhaseCounts> {
  const first = now ? firstOfPhase(now) : sql<number>`0`;
  const rows = await db
    .selectFrom(
      choose(db.selectFrom("requests as r"))
        .innerJoin("tallies as t", "t.of_id", "r.id")
        .select(["r.id", sql<LinkPhase>`t.word`.as("phase"), sql<number>`sum(t.n)::int`.as("n")])
        .groupBy(["r.id", "t.word"])
        .having(sql<number>`sum(t.n)`, ">", 0)
        .as("p"),
    )
    .select(["p.phase", sql<number>`sum(p.n)::int`.as("all"), sql<number>`sum(${first})::int`.as("first")])
    .groupBy("p.phase")
    .execute();
  return new Map(rows.map(({ phase, all, first: early }) => [phase, { all, first: early }]));
}

function firstOfPhase(now: Date) {
  return sql<number>`case
    when p.phase in (${sql.join(leasedPhases.map((phase) => sql.lit(phase)))}) then ${howManyLast("leased", now)}
    when p.phase = 'backing_off' then ${howManyLast("delayed", now)}
    else 0 end`;
}

/** How many links of a branch there are. */
export function sizeOf({ phase, isFirst, holds }: Branch, counts: PhaseCounts): number {
  const { all, first } = counts.get(phase) ?? { all: 0, first: 0 };
  if (holds === null) return all;
  return isFirst ? first : all - first;
}
