import type { FailureData } from "../contract/failures.ts";
import type { PreparedEpisode, SiteCopy } from "../contract/task.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import * as moves from "./episodes.ts";
import type { EpisodeKey, Hand } from "./episodes.ts";
import type { Database, EpisodeRow } from "./tables.ts";

/**
 * The moves of an episode as a running task makes them: by this farm, now. What others act upon (an arm, an outcome) is on
 * disk when the method returns. null and false: the row was not as expected, and nothing has changed.
 */
export class EpisodeBook {
  readonly #db: Database;
  readonly #hand: () => Hand;
  readonly #flush: () => Promise<void>;

  constructor(db: Database, hand: () => Hand, flush: () => Promise<void>) {
    this.#db = db;
    this.#hand = hand;
    this.#flush = flush;
  }

  async get(key: EpisodeKey): Promise<EpisodeRow | null> {
    return moves.readEpisode(this.#db, key);
  }

  async claim(key: EpisodeKey, prepared: PreparedEpisode, fixes: string[]): Promise<EpisodeRow | null> {
    return moves.claim(this.#db, key, this.#hand(), prepared, fixes);
  }

  async openLook(key: EpisodeKey): Promise<EpisodeRow | null> {
    return moves.openLook(this.#db, key, this.#hand());
  }

  async markReady(key: EpisodeKey, fence: number, baseline: string[]): Promise<EpisodeRow | null> {
    return moves.markReady(this.#db, key, fence, this.#hand().now, baseline);
  }

  async markUnclear(key: EpisodeKey, fence: number, baseline: string[], failure: FailureData): Promise<EpisodeRow | null> {
    return this.#flushed(await moves.markUnclear(this.#db, key, fence, this.#hand().now, baseline, failure));
  }

  async keepDraft(key: EpisodeKey, fence: number, draftId: string): Promise<boolean> {
    return moves.keepDraft(this.#db, key, fence, this.#hand().now, draftId);
  }

  /** @throws when it is not surely on disk; then it is not armed */
  async arm(key: EpisodeKey, fence: number, settleMs: number): Promise<boolean> {
    const row = await moves.markArmed(this.#db, key, fence, this.#hand(), settleMs);
    if (!row) return false;
    crashpoint("armed-unflushed");
    try {
      await this.#flush();
      return true;
    } catch (error) {
      // Nobody may click, so nothing was sent, and it is no doubt either.
      await this.markUnsent(key, fence);
      throw error;
    }
  }

  async renewArm(key: EpisodeKey, fence: number): Promise<boolean> {
    if (!(await moves.renewArm(this.#db, key, fence, this.#hand()))) return false;
    await this.#flush();
    return true;
  }

  async markPosted(key: EpisodeKey, copy: SiteCopy, copies: number | null, note: FailureData | null): Promise<EpisodeRow | null> {
    return this.#flushed(await moves.markPosted(this.#db, key, this.#hand().now, copy, copies, note));
  }

  async markCounted(key: EpisodeKey, copies: number, note: FailureData | null): Promise<void> {
    return moves.markCounted(this.#db, key, copies, note);
  }

  async forgetDraft(key: EpisodeKey, draftId: string): Promise<void> {
    return moves.forgetDraft(this.#db, key, draftId);
  }

  async markUnsent(key: EpisodeKey, fence: number): Promise<EpisodeRow | null> {
    return moves.markUnsent(this.#db, key, fence, this.#hand().now);
  }

  async markDoubt(key: EpisodeKey, why: Omit<FailureData, "code">, fence: number): Promise<EpisodeRow | null> {
    return this.#flushed(await moves.markDoubt(this.#db, key, this.#hand(), why, fence));
  }

  async markAbsent(key: EpisodeKey, fence: number, failure: FailureData | null): Promise<EpisodeRow | null> {
    return this.#flushed(await moves.markAbsent(this.#db, key, fence, this.#hand().now, failure));
  }

  async markFailed(key: EpisodeKey, failure: FailureData, fence?: number): Promise<EpisodeRow | null> {
    return moves.markFailed(this.#db, key, this.#hand().now, failure, fence);
  }

  /** Frees a claim; an armed one becomes doubt. */
  async release(key: EpisodeKey, why: string): Promise<EpisodeRow | null> {
    return this.#flushed(await moves.release(this.#db, key, this.#hand(), why));
  }

  /** Claims whose lease has run out, of whatever holder. @returns how many were released */
  async releaseExpired(): Promise<number> {
    const hand = this.#hand();
    const { now } = hand;
    const expired = this.#db
      .selectFrom("episodes")
      .select(["account_key", "episode_id"])
      .where("state", "in", ["claimed", "ready", "armed"])
      .where("lease_until", "<", now);
    let released = 0;
    for (const row of await expired.execute()) {
      const key = { accountKey: row.account_key, episodeId: row.episode_id };
      released += await this.#db.transaction().execute(async (trx) => {
        const still = await trx
          .selectFrom("episodes")
          .select("lease_until")
          .where("account_key", "=", key.accountKey)
          .where("episode_id", "=", key.episodeId)
          .where("lease_until", "<", now)
          .forUpdate()
          .executeTakeFirst();
        return still && (await moves.release(trx, key, hand, "its holder gave no sign of life")) ? 1 : 0;
      });
    }
    return released;
  }

  async #flushed(row: EpisodeRow | null): Promise<EpisodeRow | null> {
    if (row) await this.#flush();
    return row;
  }
}
