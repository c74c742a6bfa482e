import { sql, type Transaction } from "kysely";
import type { TaskState } from "../../contract/states.ts";
import { anyOf } from "../any-of.ts";
import type { LinkKind, ManagerTables, RequestRow } from "../tables.ts";
import { openPhases } from "./link-status.ts";
import { episodesOnSites, idsIn } from "./on-site.ts";
import { unitsOpen } from "./units.ts";

type Trx = Transaction<ManagerTables>;

export interface RequeueOrder {
  states: readonly ("failed" | "canceled")[];
  /** Absent: all of the request's. */
  linkId?: string;
}

export interface Requeued {
  primaries: number;
  secondaries: number;
}

const IDS_A_STATEMENT = 1000;

/** The ids of episodes by site. */
type BySite = ReadonlyMap<string, Set<string>>;

interface Candidate {
  id: string;
  kind: LinkKind;
  site: string;
  /** Units that it may still bring. */
  left: number;
  /** Of podcasts only: the ids of its episodes, and of those among them that it has posted. */
  episodes: string[];
  posted: string[];
}

/** @param keep its episodes from now on; null: all that it has */
type Chosen = Pick<Candidate, "id" | "kind"> & { keep: string[] | null };

/**
 * Puts links that failed or were canceled back into the queue, as far as they bring what was ordered: no more units than the
 * target has left, and no episode to a site where it is already, or where another account is about to post it. A link loses the
 * episodes that others have posted since, and of its own posted ones nothing is charged again. The caller holds the request's lock.
 *
 * For one that failed it is one more try, which counts as the farm's own do: it has what is left of max_retries, or this one try
 * where nothing is. One that was canceled goes on where it was; while the lease of the farm that had it lasts, it is that farm's:
 * it may not have heard of the cancel, and about to post. No link of an account that has moved to another site: its password
 * would be typed into the former one.
 */
export async function requeue(trx: Trx, request: RequestRow, order: RequeueOrder, now: Date): Promise<Requeued> {
  await keepAccounts(trx, request.id, order);
  const isPodcast = request.service_type === "podcast";
  const links = await candidates(trx, request.id, isPodcast, order);
  const taken = isPodcast ? { there: await episodesOnSites(trx, request.id), open: await openEpisodes(trx, request.id) } : null;
  const chosen = choose(links, await unitsLeft(trx, request.id), taken);
  for (let at = 0; at < chosen.length; at += IDS_A_STATEMENT)
    await queueAgain(
      trx,
      chosen.slice(at, at + IDS_A_STATEMENT).map(({ id }) => id),
      now,
    );
  for (const { id, keep } of chosen) if (keep) await keepEpisodes(trx, id, keep);
  const primaries = chosen.filter(({ kind }) => kind === "primary").length;
  return { primaries, secondaries: chosen.length - primaries };
}

/** @param taken null: the same episode may go to a site by several accounts */
function choose(
  links: readonly Candidate[],
  unitsWanted: number,
  taken: { there: BySite; open: Map<string, Set<string>> } | null,
): Chosen[] {
  let wanted = unitsWanted;
  return links.flatMap(({ id, kind, site, left, episodes, posted }): Chosen[] => {
    if (kind === "secondary") return [{ id, kind, keep: null }];
    const there = taken?.there.get(site);
    const open = taken?.open.get(site) ?? new Set();
    const rest = episodes.filter((episode) => !there?.has(episode));
    const units = taken ? rest.length : left;
    if (units === 0 || units > wanted || rest.some((episode) => open.has(episode))) return [];
    wanted -= units;
    taken?.open.set(site, new Set([...open, ...rest]));
    return [{ id, kind, keep: taken && units < left ? [...posted, ...rest] : null }];
  });
}

/** Nobody moves one of them meanwhile. In the order of their ids, as everybody locks accounts. */
async function keepAccounts(trx: Trx, requestId: string, { states, linkId }: RequeueOrder): Promise<void> {
  await trx
    .selectFrom("accounts as a")
    .select("a.id")
    .where("a.id", "in", (eb) =>
      eb
        .selectFrom("links as l")
        .select("l.account_id")
        .where("l.request_id", "=", requestId)
        .where("l.phase", "in", states)
        .$if(linkId !== undefined, (query) => query.where("l.id", "=", linkId ?? "")),
    )
    .orderBy("a.id")
    .forKeyShare("a")
    .execute();
}

/** Of several accounts for the same work comes first: who was stopped in it, who can sign in, whose last try is the longest ago. */
async function candidates(trx: Trx, requestId: string, withIds: boolean, { states, linkId }: RequeueOrder): Promise<Candidate[]> {
  const ids = (column: "episodes" | "posted") => (withIds ? idsIn(column) : sql<string[]>`'[]'::jsonb`).as(column);
  return trx
    .selectFrom("links as l")
    .innerJoin("accounts as a", "a.id", "l.account_id")
    .select(["l.id", "l.kind", "l.site", sql<number>`l.units - l.units_done`.as("left"), ids("episodes"), ids("posted")])
    .where("l.request_id", "=", requestId)
    .where("l.phase", "in", states)
    .whereRef("a.site", "=", "l.site")
    .$if(linkId !== undefined, (query) => query.where("l.id", "=", linkId ?? ""))
    .orderBy(sql`l.state = 'canceled'`, "desc")
    .orderBy(sql`a.status = 'active'`, "desc")
    .orderBy("l.updated_at")
    .orderBy("a.created_at")
    .orderBy("l.id")
    .execute();
}

/** What accounts are about to post. */
async function openEpisodes(trx: Trx, requestId: string): Promise<Map<string, Set<string>>> {
  const rows = await trx
    .selectFrom("links as l")
    .select(["l.site", idsIn("episodes").as("ids")])
    .where("l.request_id", "=", requestId)
    .where("l.kind", "=", "primary")
    .where("l.phase", "in", openPhases)
    .execute();
  return new Map([...Map.groupBy(rows, ({ site }) => site)].map(([site, own]) => [site, new Set(own.flatMap(({ ids }) => ids))]));
}

async function unitsLeft(trx: Trx, requestId: string): Promise<number> {
  const { target, done, open } = await trx
    .selectFrom("requests as r")
    .select(["r.target", "r.done_units as done", unitsOpen.as("open")])
    .where("r.id", "=", requestId)
    .executeTakeFirstOrThrow();
  return target - done - open;
}

const isHeld = (now: Date) => sql`state = 'canceled' and holder is not null and lease_until > ${now}`;

async function queueAgain(trx: Trx, ids: readonly string[], now: Date): Promise<void> {
  await trx
    .updateTable("links")
    .set((eb) => ({
      state: sql<TaskState>`case when ${isHeld(now)} then case when jsonb_exists(started_by, holder) then 'running' else 'claimed' end else 'waiting' end`,
      lease_until: sql<Date | null>`case when ${isHeld(now)} then lease_until end`,
      next_at: null,
      retry_count: eb
        .case()
        .when("state", "=", "failed")
        .then(eb("retry_count", "+", 1))
        .else(eb.ref("retry_count"))
        .end(),
      updated_at: now,
    }))
    .where("id", "in", ids)
    .execute();
}

async function keepEpisodes(trx: Trx, id: string, keep: readonly string[]): Promise<void> {
  await trx
    .updateTable("links as l")
    .set({
      episodes: sql<string>`(select jsonb_agg(e order by n) from jsonb_array_elements(l.episodes) with ordinality t (e, n) where e ->> 'id' = ${anyOf(keep)})`,
    })
    .where("l.id", "=", id)
    .execute();
}
