import { sql, type Updateable } from "kysely";
import { Failure, type FailureData } from "../contract/failures.ts";
import { episodeStates, mayMove, type EpisodeState } from "../contract/states.ts";
import type { PreparedEpisode, SiteCopy } from "../contract/task.ts";
import type { Rules } from "./rules.ts";
import type { Database, EpisodeRow, EpisodeTable } from "./tables.ts";

/** An episode on an account: the unit that is posted once. */
export interface EpisodeKey {
  accountKey: string;
  episodeId: string;
}

/** Who moves and when. */
export interface Hand {
  holder: string;
  now: Date;
  /** How long a claim stands without a sign of life, ms. */
  leaseMs: number;
  rules: Readonly<Rules>;
}

interface Move {
  from: readonly EpisodeState[];
  to: EpisodeState;
  /** Only where this is still the newest fence; absent: a fact, which is true whoever brings it. */
  fence?: number;
  /** A new holder: older fences are refused from now on. */
  newFence?: boolean;
  set?: Updateable<EpisodeTable>;
}

const nobody = { holder: null, lease_until: null } as const;

/**
 * The one place where an episode's state changes. The move must stand in the table of contract/states.ts, and the row must
 * be in one of the `from` states under the given fence at the moment of the update.
 * @returns the row after the move, or null when the row was not as expected (nothing has changed then)
 */
export async function moveEpisode(db: Database, key: EpisodeKey, now: Date, move: Move): Promise<EpisodeRow | null> {
  const forbidden = move.from.find((from) => !mayMove(from, move.to));
  if (forbidden) throw new Failure("farm.invariant", `an episode may not move from ${forbidden} to ${move.to}`);
  let update = db
    .updateTable("episodes")
    .set({ ...move.set, state: move.to, updated_at: now })
    .where("account_key", "=", key.accountKey)
    .where("episode_id", "=", key.episodeId)
    .where("state", "in", move.from);
  if (move.newFence) update = update.set({ fence: sql<number>`fence + 1` });
  if (move.fence !== undefined) update = update.where("fence", "=", move.fence);
  return (await update.returningAll().executeTakeFirst()) ?? null;
}

const statesBefore = (to: EpisodeState): EpisodeState[] => episodeStates.filter((from) => mayMove(from, to));

/** waiting -> claimed under a new fence. */
export async function claim(
  db: Database,
  key: EpisodeKey,
  hand: Hand,
  prepared: PreparedEpisode,
  fixes: string[],
): Promise<EpisodeRow | null> {
  return moveEpisode(db, key, hand.now, {
    from: ["waiting"],
    to: "claimed",
    newFence: true,
    set: {
      holder: hand.holder,
      lease_until: new Date(hand.now.getTime() + hand.leaseMs),
      prepared: JSON.stringify(prepared),
      fixes: JSON.stringify(fixes),
      failure: null,
    },
  });
}

/** A new fence for the look at an episode in doubt, once it is due. The state stays. */
export async function openLook(db: Database, key: EpisodeKey, hand: Hand): Promise<EpisodeRow | null> {
  const row = await db
    .updateTable("episodes")
    .set({
      fence: sql<number>`fence + 1`,
      holder: hand.holder,
      lease_until: new Date(hand.now.getTime() + hand.leaseMs),
      updated_at: hand.now,
    })
    .where("account_key", "=", key.accountKey)
    .where("episode_id", "=", key.episodeId)
    .where("state", "=", "doubt")
    .where("due", "<=", hand.now)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Looked: absent. */
export async function markReady(db: Database, key: EpisodeKey, fence: number, now: Date, baseline: string[]): Promise<EpisodeRow | null> {
  return moveEpisode(db, key, now, {
    from: ["claimed"],
    to: "ready",
    fence,
    // What appeared after a try may be that try: the first list stays the measure.
    set: {
      baseline:
        sql<string>`case when attempts > 0 and baseline is not null then baseline else ${JSON.stringify(baseline)}::jsonb end` as unknown as string,
    },
  });
}

/** Looked, and nobody but a person can say what was seen. @param baseline all that was there: if the person says no, none of it is ours */
export async function markUnclear(
  db: Database,
  key: EpisodeKey,
  fence: number,
  now: Date,
  baseline: string[],
  failure: FailureData,
): Promise<EpisodeRow | null> {
  return moveEpisode(db, key, now, {
    from: ["claimed"],
    to: "needs_person",
    fence,
    set: { ...nobody, baseline: JSON.stringify(baseline), failure: JSON.stringify(failure) },
  });
}

/** Keeps the draft's id; no move. */
export async function keepDraft(db: Database, key: EpisodeKey, fence: number, now: Date, draftId: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("episodes")
    .set({ draft_id: draftId, updated_at: now })
    .where("account_key", "=", key.accountKey)
    .where("episode_id", "=", key.episodeId)
    .where("fence", "=", fence)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The record before the click. The caller flushes before it lets anybody click. */
export async function markArmed(db: Database, key: EpisodeKey, fence: number, hand: Hand, settleMs: number): Promise<EpisodeRow | null> {
  if (!hand.rules.armRecord) return readEpisode(db, key);
  const armed = await moveEpisode(db, key, hand.now, {
    from: ["ready"],
    to: "armed",
    ...(hand.rules.fence && { fence }),
    set: {
      armed_at: hand.now,
      settle_ms: settleMs,
      lease_until: new Date(hand.now.getTime() + hand.leaseMs),
      attempts: sql<number>`attempts + 1` as unknown as number,
    },
  });
  return armed ?? (hand.rules.fence ? null : readEpisode(db, key));
}

/** The gate asks: still armed by this holder under this fence? Then the moment of the arm is now. */
export async function renewArm(db: Database, key: EpisodeKey, fence: number, hand: Hand): Promise<boolean> {
  const { rules } = hand;
  if (!rules.gate) return true;
  const { numUpdatedRows } = await db
    .updateTable("episodes")
    .set({ armed_at: hand.now, lease_until: new Date(hand.now.getTime() + hand.leaseMs), updated_at: hand.now })
    .where("account_key", "=", key.accountKey)
    .where("episode_id", "=", key.episodeId)
    .where("state", "in", rules.armRecord ? ["armed"] : ["armed", "ready"])
    .$if(rules.fence, (query) => query.where("fence", "=", fence).where("holder", "=", hand.holder))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Seen on the site. A fact, so no fence is asked for. */
export async function markPosted(
  db: Database,
  key: EpisodeKey,
  now: Date,
  copy: SiteCopy,
  /** How many copies the site shows; null: nobody has counted yet. */
  copies: number | null = null,
  note: FailureData | null = null,
): Promise<EpisodeRow | null> {
  if (copy.link === "" && copy.id === "") throw new Failure("farm.invariant", "an episode is only posted where a link or an id was seen");
  return moveEpisode(db, key, now, {
    from: statesBefore("posted"),
    to: "posted",
    set: { ...nobody, link: copy.link, site_id: copy.id, due: null, copies, failure: note && JSON.stringify(note) },
  });
}

/** What the look after the proof has counted; no move. */
export async function markCounted(db: Database, key: EpisodeKey, copies: number, note: FailureData | null): Promise<void> {
  await db
    .updateTable("episodes")
    .set({ copies, ...(note && { failure: JSON.stringify(note) }) })
    .where("account_key", "=", key.accountKey)
    .where("episode_id", "=", key.episodeId)
    .execute();
}

/** The draft is gone from the site; no move. */
export async function forgetDraft(db: Database, key: EpisodeKey, draftId: string): Promise<void> {
  await db
    .updateTable("episodes")
    .set({ draft_id: null })
    .where("account_key", "=", key.accountKey)
    .where("episode_id", "=", key.episodeId)
    .where("draft_id", "=", draftId)
    .execute();
}

/** Nothing left this machine: the claim goes on, and the try does not count. */
export async function markUnsent(db: Database, key: EpisodeKey, fence: number, now: Date): Promise<EpisodeRow | null> {
  return moveEpisode(db, key, now, {
    from: ["armed"],
    to: "claimed",
    fence,
    set: { armed_at: null, attempts: sql<number>`greatest(attempts - 1, 0)` as unknown as number },
  });
}

/** Unknown means doubt. Due once nothing of the request can be on its way any more. */
export async function markDoubt(
  db: Database,
  key: EpisodeKey,
  { now, rules }: Hand,
  { detail, evidence }: Omit<FailureData, "code">,
  fence?: number,
): Promise<EpisodeRow | null> {
  const failure: FailureData = { code: "episode.in_doubt", detail, ...(evidence && evidence.length > 0 && { evidence }) };
  const row = await moveEpisode(db, key, now, {
    from: ["armed"],
    to: "doubt",
    ...(fence !== undefined && { fence }),
    set: {
      ...nobody,
      due: rules.settle ? (sql<Date>`armed_at + make_interval(secs => settle_ms / 1000.0)` as unknown as Date) : now,
      failure: JSON.stringify(failure),
    },
  });
  if (row && !rules.unknownIsDoubt) return moveEpisode(db, key, now, { from: ["doubt"], to: "waiting" });
  return row;
}

/** The look at an episode in doubt found nothing. */
export async function markAbsent(
  db: Database,
  key: EpisodeKey,
  fence: number,
  now: Date,
  failure: FailureData | null,
): Promise<EpisodeRow | null> {
  return moveEpisode(db, key, now, {
    from: ["doubt"],
    to: failure ? "needs_person" : "waiting",
    fence,
    set: { ...nobody, due: null, ...(failure && { failure: JSON.stringify(failure) }) },
  });
}

/** This episode can't be posted as it is. */
export async function markFailed(
  db: Database,
  key: EpisodeKey,
  now: Date,
  failure: FailureData,
  fence?: number,
): Promise<EpisodeRow | null> {
  return moveEpisode(db, key, now, {
    from: ["waiting", "claimed", "ready"],
    to: "failed",
    ...(fence !== undefined && { fence }),
    set: { ...nobody, failure: JSON.stringify(failure) },
  });
}

/** A claim that ends without a result: what was not armed is free again. @returns the row that moved */
export async function release(db: Database, key: EpisodeKey, hand: Hand, why: string): Promise<EpisodeRow | null> {
  const freed = await moveEpisode(db, key, hand.now, { from: ["claimed", "ready"], to: "waiting", set: nobody });
  return freed ?? markDoubt(db, key, hand, { detail: why });
}

export async function readEpisode(db: Database, { accountKey, episodeId }: EpisodeKey): Promise<EpisodeRow | null> {
  const rows = db.selectFrom("episodes").selectAll().where("account_key", "=", accountKey).where("episode_id", "=", episodeId);
  return (await rows.executeTakeFirst()) ?? null;
}
