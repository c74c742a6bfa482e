import { sql, type ExpressionBuilder, type Kysely } from "kysely";
import type { Caller } from "./caller.ts";
import { feedOfRequest, hasItsWork } from "./feed-of-request.ts";
import { leaseFrom } from "./lease.ts";
import type { ManagerTables } from "./tables.ts";

export interface PullOrder {
  /** null: both kinds. */
  kind: "primary" | "secondary" | null;
  /** null: all sites. */
  sites: string[] | null;
  limit: number;
}

/** A task that was just handed out, in its place in the answer. */
interface Handed {
  id: string;
  /** False: the holder had it before this pull. */
  fresh: boolean;
}

/**
 * A pull is a claim: one statement picks and marks, and skips what another pull is picking, so that no two callers ever get
 * the same task.
 *
 * The holder's own tasks come first (its last answer may have been lost, or its memory), then new work by priority and age.
 * So a repeated pull brings the same and claims nothing further, and a farm that wants n new tasks asks for as many as it
 * holds and n on top.
 */
export async function pullTasks(trx: Kysely<ManagerTables>, caller: Caller, order: PullOrder, now: Date): Promise<Handed[]> {
  if (order.sites?.length === 0) return [];
  const rows = await trx
    .with("picked", (db) =>
      db
        .selectFrom("links as l")
        .select(({ eb }) => ["l.id", turn(eb, caller, now).as("turn")])
        .where((eb) => mayHave(eb, caller, now))
        .$if(order.kind !== null, (query) => query.where("l.kind", "=", order.kind ?? "primary"))
        .$if(order.sites !== null, (query) => query.where("l.site", "in", order.sites ?? []))
        .orderBy("turn")
        .orderBy("l.priority", "desc")
        .orderBy("l.created_at")
        .orderBy("l.id")
        .limit(order.limit)
        .forUpdate("l")
        .skipLocked(),
    )
    .updateTable("links as t")
    .from("picked")
    .whereRef("t.id", "=", "picked.id")
    .set((eb) => ({
      state: eb
        .case()
        .when("picked.turn", "=", MINE)
        .then(eb.ref("t.state"))
        .else(sql<"claimed">`${sql.lit("claimed")}`)
        .end(),
      // Whatever the request's accounts report later: it is one feed, once handed out.
      link_rss: sql<string>`case when t.kind = 'secondary' and t.link_rss = '' then coalesce(${feedOfRequest(sql.ref("t.request_id"))}, '') else t.link_rss end`,
      holder: caller.holder,
      server_id: caller.keyId,
      server_name: caller.name,
      lease_until: leaseFrom(now),
      updated_at: now,
    }))
    .returning(["t.id", "picked.turn", "t.priority", "t.created_at"])
    .execute();
  return rows
    .toSorted(
      (a, b) => a.turn - b.turn || b.priority - a.priority || a.created_at.getTime() - b.created_at.getTime() || (a.id < b.id ? -1 : 1),
    )
    .map(({ id, turn: place }) => ({ id, fresh: place === NEW }));
}

const MINE = 0;
const NEW = 1;

type Links = ExpressionBuilder<ManagerTables & { l: ManagerTables["links"] }, "l">;

function isMine(eb: Links, caller: Caller, now: Date) {
  return eb.and([eb("l.holder", "=", caller.holder), eb("l.state", "in", ["claimed", "running"]), eb("l.lease_until", ">", now)]);
}

function mayHave(eb: Links, caller: Caller, now: Date) {
  return eb.or([
    eb.and([eb("l.state", "=", "waiting"), eb.or([eb("l.next_at", "is", null), eb("l.next_at", "<=", now)]), hasItsWork(eb)]),
    eb.and([eb("l.state", "in", ["claimed", "running"]), eb("l.lease_until", "<=", now)]),
    isMine(eb, caller, now),
  ]);
}

function turn(eb: Links, caller: Caller, now: Date) {
  return eb
    .case()
    .when(isMine(eb, caller, now))
    .then(sql<number>`${sql.lit(MINE)}`)
    .else(sql<number>`${sql.lit(NEW)}`)
    .end();
}
