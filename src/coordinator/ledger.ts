import { sql } from "kysely";
import { Failure, type FailureData } from "../contract/failures.ts";
import type { TaskState } from "../contract/states.ts";
import type { Credentials, DriverCard, MailboxCredentials } from "../contract/task.ts";
import type { WorkerTask } from "../contract/worker-api.ts";
import type { Clock } from "../kit/clock.ts";
import type { Job, Queue } from "../store/queue.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../store/vault.ts";
import { admit, type Admission } from "./admission.ts";
import { admitCheck, isCheckId, refuseCheck } from "./check-admission.ts";
import type { Ending, Judgement } from "./decide.ts";
import type { Neighbour } from "./doubt.ts";
import { EpisodeBook } from "./episode-book.ts";
import type { EpisodeKey, Hand } from "./episodes.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import type { Random } from "./ports.ts";
import type { Rules } from "./rules.ts";
import { isElsewhere } from "./login.ts";
import { openSessions, type Sessions } from "./sessions.ts";
import { adopt, settle } from "./settlement.ts";
import { loginKeyOf } from "./sign-in-guard.ts";
import { takeSlot } from "./site-slots.ts";
import type { Site } from "./sites.ts";
import * as stops from "./stopped-accounts.ts";
import { activeTaskStates, type Database, type EpisodeRow, type FarmTables, type TaskRow } from "./tables.ts";
import { cancelTask, episodesOf, moveTask, openCredentials, openFeedMailbox } from "./tasks.ts";

export interface LedgerOptions {
  store: Store;
  vault: Vault;
  queue: Queue;
  clock: Clock;
  random: Random;
  /** This process: the holder in claims. */
  instance: string;
  /** A claim without a sign of life stands this long, ms. */
  leaseMs: number;
  rules: Readonly<Rules>;
}

/** A failed episode is mostly mended and comes back: its draft is used then. */
const DRAFT_KEPT_MS = 7 * 24 * 3600_000;
/** Older than this it is not worth a look. */
const COUNTED_LATE_MS = 7 * 24 * 3600_000;
const MAX_COUNTED_LATE = 10;
/** In one run; the rest goes with the next. */
const MAX_DRAFTS_SWEPT = 20;

/** Why a task does not start now. */
export type Begin =
  | { kind: "begun"; task: TaskRow; episodes: EpisodeRow[] }
  | { kind: "site-full" }
  | { kind: "gone" }
  /** Its login is at work for another source. */
  | { kind: "elsewhere" }
  /** Nothing may start on the account. */
  | { kind: "stopped"; failure: FailureData };

/**
 * The farm's record of what is known for sure. Every change of state goes through `moveEpisode` and `moveTask`, and what is
 * reported is written in the transaction of the move. Here the tasks; `episodes` are the moves of one episode.
 */
export class Ledger {
  readonly db: Database;
  readonly sessions: Sessions;
  readonly episodes: EpisodeBook;
  readonly #o: LedgerOptions;
  readonly #parts: LedgerParts;

  constructor(options: LedgerOptions) {
    this.#o = options;
    this.db = options.store.part<FarmTables>("farm");
    this.sessions = openSessions(this.db, options.vault);
    this.episodes = new EpisodeBook(
      this.db,
      () => this.hand(),
      async () => this.flush(),
    );
    const { vault, queue, random } = options;
    const { db, sessions } = this;
    this.#parts = { db, vault, queue, random, sessions, hand: () => this.hand(), flush: async () => this.flush() };
  }

  now(): Date {
    return new Date(this.#o.clock.now());
  }

  get rules(): Readonly<Rules> {
    return this.#o.rules;
  }

  hand(): Hand {
    const { instance: holder, leaseMs, rules } = this.#o;
    return { holder, now: this.now(), leaseMs, rules };
  }

  async flush(): Promise<void> {
    await this.#o.store.flush();
  }

  // Tasks

  /** A pulled task: new, known and continued, or handed out again after it had ended here. */
  async admit(task: WorkerTask, site: Site, source: string): Promise<Admission> {
    return admit(this.#parts, task, site, source);
  }

  /** The same of a pulled check. */
  async admitCheck(check: WorkerTask, site: Site, source: string): Promise<Admission> {
    return admitCheck(this.#parts, check, site, source);
  }

  /** How many checks have ended and are still the source's to be told of. @param besides sites that don't count */
  async checksToReport(source: string, besides: ReadonlySet<string>): Promise<number> {
    const rows = await this.db
      .selectFrom("outbox")
      .innerJoin("tasks", "tasks.id", "outbox.task_id")
      .select("tasks.site")
      .where("tasks.source", "=", source)
      .where("outbox.kind", "=", "check")
      .where("outbox.state", "=", "pending")
      .execute();
    return rows.filter(({ site }) => !besides.has(site)).length;
  }

  /** The source has shown that they are ours. */
  async renewChecks(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.db.updateTable("tasks").set({ renewed_at: this.now() }).where("id", "in", ids).execute();
  }

  async task(id: string): Promise<TaskRow | null> {
    return (await this.db.selectFrom("tasks").selectAll().where("id", "=", id).executeTakeFirst()) ?? null;
  }

  async episodesOf(task: Pick<TaskRow, "account_key" | "episode_ids">): Promise<EpisodeRow[]> {
    return episodesOf(this.db, task);
  }

  credentials(task: TaskRow): Credentials {
    return openCredentials(task, this.#o.vault);
  }

  feedMailbox(task: TaskRow): MailboxCredentials | null {
    return openFeedMailbox(task, this.#o.vault);
  }

  /** Tasks of these sources that the farm still holds, in whatever state. */
  async held(sources: readonly string[]): Promise<TaskRow[]> {
    return this.db
      .selectFrom("tasks")
      .selectAll()
      .where("source", "in", sources)
      .where("state", "in", activeTaskStates)
      .orderBy("created_at")
      .execute();
  }

  /** Tasks and episodes that wait for a person; an episode does so also when its task was taken away meanwhile. */
  async forPersons(sources: readonly string[]): Promise<{ task: TaskRow; episodes: EpisodeRow[] }[]> {
    const tasks = await this.db
      .selectFrom("tasks")
      .selectAll()
      .where("source", "in", sources)
      .where((one) =>
        one.or([
          // A check that is held waits for its account, which says so itself.
          one.and([one("state", "=", "needs_person"), one.not(isCheckId)]),
          one("id", "in", one.selectFrom("episodes").select("task_id").where("state", "=", "needs_person")),
        ]),
      )
      .orderBy("created_at")
      .execute();
    return Promise.all(tasks.map(async (task) => ({ task, episodes: await this.episodesOf(task) })));
  }

  /** Checks aside: all less those, since each of the two stands in an index, and the difference does not. */
  async countByState(sources: readonly string[]): Promise<Partial<Record<TaskState, number>>> {
    const all = this.db
      .selectFrom("tasks")
      .select((one) => ["state", one.fn.countAll<number>().as("count")])
      .where("source", "in", sources)
      .groupBy("state");
    // One statement, so that both are of one moment.
    const rows = await this.db
      .selectFrom(all.as("every"))
      .leftJoin(all.where(isCheckId).as("checks"), "checks.state", "every.state")
      .select(["every.state", "every.count", "checks.count as checks"])
      .execute();
    const counts = rows.map((row) => [row.state, Number(row.count) - Number(row.checks ?? 0)] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  /** Whether work that posts could start on the site, or look there, if it had room. */
  async postingWaits(sources: readonly string[], site: string): Promise<boolean> {
    return (await this.sitesToPost(sources)).has(site);
  }

  /** The sites where that is so. */
  async sitesToPost(sources: readonly string[]): Promise<Set<string>> {
    const rows = await this.db
      .selectFrom("tasks")
      .select("site")
      .distinct()
      .where("source", "in", sources)
      .where("state", "in", ["waiting", "unsure"])
      .where((one) => one.not(isCheckId))
      .where((one) => one.or([one("not_before", "is", null), one("not_before", "<=", this.now())]))
      .execute();
    return new Set(rows.map(({ site }) => site));
  }

  /** What its login is, by the driver of the moment: it may be another one than when the task was brought. @returns the row as it stands then */
  async nameLogin(row: TaskRow, card: DriverCard): Promise<TaskRow> {
    const login_key = loginKeyOf(row.host, card, this.credentials(row)) ?? "";
    if (login_key !== row.login_key) await this.db.updateTable("tasks").set({ login_key }).where("id", "=", row.id).execute();
    return { ...row, login_key };
  }

  /** Checks that ended without a word since then, which the source may still have for ours. */
  async checksGivenUp(source: string, since: Date): Promise<TaskRow[]> {
    return this.db
      .selectFrom("tasks")
      .selectAll()
      .where("source", "=", source)
      .where(isCheckId)
      .where("state", "=", "canceled")
      .where("updated_at", ">", since)
      .execute();
  }

  /** Takes the login, a slot of the site and the task, or nothing. */
  async begin(taskId: string, slots: number): Promise<Begin> {
    const hand = this.hand();
    return this.db.transaction().execute(async (trx): Promise<Begin> => {
      const row = await trx.selectFrom("tasks").selectAll().where("id", "=", taskId).forUpdate().executeTakeFirst();
      if (!row || (row.state !== "waiting" && row.state !== "unsure")) return { kind: "gone" };
      // In this order: whoever has just ended with a stop is seen either at work or by that stop.
      if (await isElsewhere(trx, row)) return { kind: "elsewhere" };
      const stop = await stops.stopOf(trx, row);
      if (stop) return { kind: "stopped", failure: stop.failure };
      if (!(await takeSlot(trx, row.site, slots, taskId, hand))) return { kind: "site-full" };
      const waiting =
        row.state === "waiting" &&
        (await moveTask(trx, taskId, hand.now, { from: ["waiting"], to: "claimed", set: { waits_for: "", not_before: null } }));
      const task = await moveTask(trx, taskId, hand.now, { from: [waiting ? "claimed" : "unsure"], to: "running" });
      if (!task) throw new Failure("farm.invariant", `task ${taskId} changed under its lock`);
      return { kind: "begun", task, episodes: await episodesOf(trx, task) };
    });
  }

  /** Why a waiting task does not start now, for people. */
  async sayWhy(taskId: string, why: string): Promise<void> {
    await this.db
      .updateTable("tasks")
      .set({ waits_for: why })
      .where("id", "=", taskId)
      .where("state", "in", ["waiting", "unsure"])
      .where("waits_for", "!=", why)
      .execute();
  }

  /** The end of a run. @returns null when the job is somebody else's by now; then they judge */
  async settle(
    taskId: string,
    job: Job,
    ending: Ending,
    how: { fallbackLink: string; rehearsal: boolean; isOver?: boolean; triedWith?: string },
  ): Promise<Judgement | null> {
    return settle(this.#parts, taskId, job, ending, how);
  }

  /** A task that a dead holder left claimed or running. @returns when it may run again, null when it was not in anybody's hands */
  async adopt(taskId: string): Promise<Judgement | null> {
    return adopt(this.#parts, taskId);
  }

  /** Signs of life of a run. */
  async renew(taskId: string): Promise<void> {
    const { holder, now, leaseMs } = this.hand();
    const lease_until = new Date(now.getTime() + leaseMs);
    await this.db
      .updateTable("episodes")
      .set({ lease_until })
      // By account, not by task: another task that brings the same episode has its name on the row from then on.
      .where("account_key", "=", (inner) => inner.selectFrom("tasks").select("account_key").where("id", "=", taskId))
      .where("holder", "=", holder)
      .where("state", "in", ["claimed", "ready", "armed", "doubt"])
      .execute();
    await this.db.updateTable("site_slots").set({ lease_until }).where("task_id", "=", taskId).where("holder", "=", holder).execute();
  }

  /** The source took it away while nobody worked on it. @returns false when it is in somebody's hands, in doubt or has ended */
  async cancel(taskId: string, why: string): Promise<boolean> {
    return this.db.transaction().execute(async (trx) => cancelTask(trx, taskId, why, this.now()));
  }

  // Accounts

  /** Why nothing may start on an account, or null. */
  async stopOf(who: stops.Who): Promise<stops.Stop | null> {
    return stops.stopOf(this.db, who);
  }

  /** Stops from before their logins were written down. */
  async nameStops(cardOf: (host: string) => DriverCard | undefined): Promise<void> {
    return stops.nameStops(this.#parts, (task) => {
      const card = cardOf(task.host);
      try {
        return (card && loginKeyOf(task.host, card, this.credentials(task))) ?? "";
      } catch {
        // Sealed with another key: it can't start either.
        return "";
      }
    });
  }

  /** @param task in whose run it was noticed */
  async stopAccount(task: TaskRow, failure: FailureData): Promise<void> {
    return stops.stopAccount(this.#parts, task, failure);
  }

  async stoppedAccounts(sources: readonly string[]): Promise<{ task: TaskRow; failure: FailureData }[]> {
    return stops.stoppedAccounts(this.#parts, sources);
  }

  /** A check that must not start ends with the reason. @returns false when it was not waiting any more */
  async refuseCheck(taskId: string, job: Job, failure: FailureData): Promise<boolean> {
    return refuseCheck(this.#parts, taskId, job, failure);
  }

  /** A task that must not start waits for a person. @returns false when it was not waiting any more */
  async hold(taskId: string, job: Job, failure: FailureData): Promise<boolean> {
    return stops.hold(this.#parts, taskId, job, failure);
  }

  /**
   * The account's other episodes, and what they are called on the site; and those that another source may post with the same login.
   * Of the latter only the titles count: whether they stand in the same show, or what an id means there, nobody knows.
   */
  async neighbours({ accountKey, episodeId }: EpisodeKey): Promise<Neighbour[]> {
    const own = <Column extends "site_id" | "draft_id" | "link">(column: Column) =>
      sql<string | null>`case when account_key = ${accountKey} then ${sql.ref(column)} end`.as(column);
    const alike = this.db
      .selectFrom("tasks as mine")
      .innerJoin("tasks as theirs", (join) => join.onRef("theirs.login_key", "=", "mine.login_key").onRef("theirs.host", "=", "mine.host"))
      .select("theirs.account_key")
      .where("mine.account_key", "=", accountKey)
      .where("mine.login_key", "!=", "")
      .where("theirs.login_key", "!=", "")
      .whereRef("theirs.account_key", "!=", "mine.account_key");
    return (
      this.db
        .selectFrom("episodes")
        .select([own("site_id"), own("draft_id"), own("link")])
        // What was posted is called as it was cut to the site's limits.
        .select(sql<string>`coalesce(prepared ->> 'title', title)`.as("title"))
        .where((one) =>
          one.or([one.and([one("account_key", "=", accountKey), one("episode_id", "!=", episodeId)]), one("account_key", "in", alike)]),
        )
        .execute()
    );
  }

  /** Episodes of the account whose copies nobody has counted since the site had time to show them. */
  async uncounted(accountKey: string, settleMs: number): Promise<EpisodeRow[]> {
    const now = this.now().getTime();
    return this.db
      .selectFrom("episodes")
      .selectAll()
      .where("account_key", "=", accountKey)
      .where("state", "in", ["posted", "reported"])
      .where("copies", "is", null)
      .where("prepared", "is not", null)
      .where("updated_at", "<", new Date(now - settleMs))
      .where("updated_at", ">", new Date(now - COUNTED_LATE_MS))
      .orderBy("updated_at")
      .limit(MAX_COUNTED_LATE)
      .execute();
  }

  /** Drafts of the account that nobody will publish any more. */
  async leftOverDrafts(accountKey: string): Promise<EpisodeRow[]> {
    return this.db
      .selectFrom("episodes")
      .selectAll()
      .where("account_key", "=", accountKey)
      .where("draft_id", "is not", null)
      .where((one) =>
        one.or([
          one("state", "=", "canceled"),
          one.and([one("state", "=", "failed"), one("updated_at", "<", new Date(this.now().getTime() - DRAFT_KEPT_MS))]),
        ]),
      )
      .orderBy("updated_at")
      .limit(MAX_DRAFTS_SWEPT)
      .execute();
  }
}
