import { sql, type Kysely } from "kysely";
import { linkStatuses } from "../../contract/backlink-api.ts";
import type { ManagerTables } from "../tables.ts";
import { sizeOf, type PhaseCounts } from "./count-links.ts";
import { tieBreak } from "./list-order.ts";
import { wholePhases, type Branch } from "./link-status.ts";

type Db = Kysely<ManagerTables>;

export const linkColumns = {
  created_at: "l.created_at",
  site_name: "l.site",
  retry_count: "l.retry_count",
  started_at: "l.started_at",
  completed_at: "l.completed_at",
} as const;

type Column = keyof typeof linkColumns;
type Direction = "asc" | "desc";

export interface LinksOrder {
  sort: Column | "status";
  order: Direction;
}

export interface Place {
  limit: number;
  offset: number;
}

/** Links that follow each other in the list, which one index has in this order for each branch. */
interface Segment {
  /** null: all of the request. */
  branches: readonly Branch[] | null;
  column: Column;
  order: Direction;
  /** Absent: both. */
  only?: "present" | "absent";
  counts: PhaseCounts;
  /** Absent: not known without counting. */
  size?: number;
}

interface Chosen {
  requestId: string;
  branches: readonly Branch[];
  counts: PhaseCounts;
}

/** The ids of the links on a page, each from an index. Those of one status come the newest first. */
export async function idsOfPage(db: Db, chosen: Chosen, by: LinksOrder, { limit, offset }: Place): Promise<string[]> {
  const ids: string[] = [];
  let before = offset;
  for (const segment of segmentsOf(chosen, by)) {
    if (ids.length === limit) break;
    if (segment.size !== undefined && segment.size <= before) {
      before -= segment.size;
      continue;
    }
    const some = await idsOf(db, chosen.requestId, segment, { limit: limit - ids.length, offset: before });
    ids.push(...some);
    // It ended before the page: then it is no longer than what precedes the page.
    const isPassed = some.length === 0 && before > 0;
    before = isPassed ? before - (await countOf(db, chosen.requestId, segment)) : 0;
  }
  return ids;
}

function segmentsOf({ branches, counts }: Chosen, { sort, order }: LinksOrder): Segment[] {
  if (sort === "created_at" && branches === wholePhases) return [{ branches: null, column: sort, order, counts }];
  const some = branches.filter((branch) => sizeOf(branch, counts) > 0);
  if (sort === "status") return byStatus(some, counts, order);
  if (some.length === 0) return [];
  const whole = { branches: some, column: sort, order, counts };
  // What is not there yet comes last in both directions.
  if (sort === "started_at" || sort === "completed_at")
    return [
      { ...whole, only: "present" },
      { ...whole, only: "absent" },
    ];
  return [whole];
}

function byStatus(branches: readonly Branch[], counts: PhaseCounts, order: Direction): Segment[] {
  const words = linkStatuses.toSorted();
  return (order === "asc" ? words : words.toReversed()).flatMap((word) => {
    const own = branches.filter(({ status }) => status === word);
    if (own.length === 0) return [];
    return [
      {
        branches: own,
        column: "created_at",
        order: "desc",
        counts,
        size: own.reduce((sum, branch) => sum + sizeOf(branch, counts), 0),
      } as const,
    ];
  });
}

/** So few of a phase are not waited for in the order of the list, but found by their time. */
const FEW = 1000;

function linksOfBranch(db: Db, requestId: string, { column, only }: Segment, branch: Branch | null) {
  const key = linkColumns[column];
  const holds = branch?.holds;
  return db
    .selectFrom("links as l")
    .select(["l.id", sql`${sql.ref(key)}`.as("key")])
    .where("l.request_id", "=", requestId)
    .$if(branch !== null, (query) => query.where("l.phase", "=", branch?.phase ?? "waiting"))
    .$if(holds != null, (query) => query.where(holds ?? sql<boolean>`true`))
    .$if(only === "present", (query) => query.where(key, "is not", null))
    .$if(only === "absent", (query) => query.where(key, "is", null));
}

/** Each branch comes out of its index in the order of the list, and no further than the page goes. */
async function idsOf(db: Db, requestId: string, segment: Segment, { limit, offset }: Place): Promise<string[]> {
  const { column, order, branches, counts } = segment;
  const [first, ...others] = (branches ?? [null]).map((branch) => {
    const links = linksOfBranch(db, requestId, segment, branch);
    const isFew = branch != null && branch.holds !== null && sizeOf(branch, counts) <= FEW;
    const inOrder = isFew
      ? links.offset(0)
      : links
          .orderBy(linkColumns[column], order)
          .orderBy("l.id", tieBreak(order))
          .limit(offset + limit);
    return db.selectFrom(inOrder.as("b")).selectAll("b");
  });
  const rows = await db
    .selectFrom(others.reduce((union, branch) => union.unionAll(branch), first!).as("l"))
    .select("l.id")
    .orderBy("l.key", order)
    .orderBy("l.id", tieBreak(order))
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.map(({ id }) => id);
}

async function countOf(db: Db, requestId: string, segment: Segment): Promise<number> {
  const [first, ...others] = (segment.branches ?? [null]).map((branch) => linksOfBranch(db, requestId, segment, branch));
  const { size } = await db
    .selectFrom(others.reduce((union, branch) => union.unionAll(branch), first!).as("l"))
    .select(sql<number>`count(*)::int`.as("size"))
    .executeTakeFirstOrThrow();
  return size;
}
