import { Failure, type FailureData } from "../contract/failures.ts";
import type { TaskState } from "../contract/states.ts";
import type { Credentials } from "../contract/task.ts";
import type { WorkerTask } from "../contract/worker-api.ts";
import type { Clock } from "../kit/clock.ts";
import type { Job, Queue } from "../store/queue.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../store/vault.ts";
import { completion, judgeTask, type Ending, type Judgement } from "./decide.ts";
import { EpisodeBook } from "./episode-book.ts";
import { moveEpisode, release, type Hand } from "./episodes.ts";
import { enqueueReports, hasPending } from "./outbox.ts";
import type { Random } from "./ports.ts";
import { openSessions, type Sessions } from "./sessions.ts";
import { freeSlot, takeSlot } from "./site-slots.ts";
import type { Site } from "./sites.ts";
import type { Database, EpisodeRow, FarmTables, TaskRow } from "./tables.ts";
import { accountKeyOf, accountNameOf, episodesOf, insertTask, moveTask, openCredentials, sealTask, upsertEpisodes } from "./tasks.ts";

export interface LedgerOptions {
  store: Store;
  vault: Vault;
  queue: Queue;
  clock: Clock;
  random: Random;
  /** This process: the holder in claims. */
  instance: string;
}

/** A claim without a sign of life stands this long. */
export const LEASE_MS = 60_000;
const CANCEL_REST_MS = 60_000;

/** What a pull brought, against what is known. */
export type Admission = "new" | "again" | "known" | "reporting" | "reported-again";

/** Why a task does not start now. */
export type Begin = { kind: "begun"; task: TaskRow; episodes: EpisodeRow[] } | { kind: "site-full" } | { kind: "gone" };

const active: readonly TaskState[] = ["waiting", "claimed", "running", "unsure", "needs_person"];
const inHands: readonly TaskState[] = ["claimed", "running"];

/**
 * The farm's record of what is known for sure. Every change of state goes through `moveEpisode` and `moveTask`, and what is
 * reported is written in the transaction of the move. Here the tasks; `episodes` are the moves of one episode.
 */
export class Ledger {
  readonly db: Database;
  readonly sessions: Sessions;
  readonly episodes: EpisodeBook;
  readonly #o: LedgerOptions;

  constructor(options: LedgerOptions) {
    this.#o = options;
    this.db = options.store.part<FarmTables>("farm");
    this.sessions = openSessions(this.db, options.vault);
    this.episodes = new EpisodeBook(
      this.db,
      () => this.hand(),
      async () => this.flush(),
    );
  }

  now(): Date {
    return new Date(this.#o.clock.now());
  }

  hand(): Hand {
    return { holder: this.#o.instance, now: this.now(), leaseMs: LEASE_MS };
  }

  async flush(): Promise<void> {
    await this.#o.store.flush();
  }

  // Tasks

  /** A pulled task: new, known and continued, or handed out again after it had ended here. */
  async admit(task: WorkerTask, site: Site, source: string): Promise<Admission> {
    const { vault } = this.#o;
    const now = this.now();
    return this.db.transaction().execute(async (trx) => {
      const row = await trx.selectFrom("tasks").selectAll().where("id", "=", task.id).forUpdate().executeTakeFirst();
      if (!row) {
        await insertTask(trx, task, site, source, sealTask(task, vault), now);
        // What an earlier task gave up on this account is asked for anew.
        for (const { id } of task.data_content)
          await moveEpisode(trx, { accountKey: accountKeyOf(site, task), episodeId: id }, now, {
            from: ["failed", "canceled"],
            to: "waiting",
          });
        await enqueueReports(trx, task.id, [{ kind: "start" }], now, vault);
        return "new";
      }
      if (inHands.includes(row.state)) return "known";
      if (await hasPending(trx, task.id)) return "reporting";
      // Somebody else's, or canceled a moment ago: a source that keeps showing it is not asked over and over.
      if (row.state === "canceled" && now.getTime() - row.updated_at.getTime() < CANCEL_REST_MS) return "known";
      if (row.state === "completed") return (await this.#reportAgain(trx, row, now)) ? "reported-again" : "known";
      await trx
        .updateTable("tasks")
        .set({
          ...sealTask(task, vault),
          account_name: accountNameOf(task),
          source,
          episode_ids: JSON.stringify(task.data_content.map((one) => one.id)),
          updated_at: now,
        })
        .where("id", "=", task.id)
        .execute();
      await upsertEpisodes(trx, task, row.account_key, now);
      if (active.includes(row.state)) return "known";
      await this.#reopen(trx, row, task, now);
      return "again";
    });
  }

  /** The source handed out again what had failed or was canceled: all that is not on the site is open again. */
  async #reopen(trx: Database, row: TaskRow, task: WorkerTask, now: Date): Promise<void> {
    await moveTask(trx, row.id, now, {
      from: ["failed", "canceled"],
      to: "waiting",
      set: { worker_deaths: 0, tries: 0, failure: null, waits_for: "", not_before: null },
    });
    for (const { id } of task.data_content)
      await moveEpisode(trx, { accountKey: row.account_key, episodeId: id }, now, { from: ["failed", "canceled"], to: "waiting" });
    await enqueueReports(trx, row.id, [{ kind: "start" }], now, this.#o.vault);
  }

  /** The source lost our word (a restored backup): it is said again, unless the source had refused it. */
  async #reportAgain(trx: Database, row: TaskRow, now: Date): Promise<boolean> {
    const refused = await trx
      .selectFrom("outbox")
      .select("seq")
      .where("task_id", "=", row.id)
      .where("kind", "=", "complete")
      .where("state", "=", "refused")
      .limit(1)
      .executeTakeFirst();
    if (refused) return false;
    const view = {
      episodes: await episodesOf(trx, row),
      linkRss: row.link_rss,
      cookie: "",
      fallbackLink: `https://${row.host}/`,
      workerDeaths: 0,
      tries: 0,
    };
    await enqueueReports(trx, row.id, [{ kind: "start" }, ...completion(view)], now, this.#o.vault);
    return true;
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

  /** Tasks of a source that the farm still holds, in whatever state. */
  async held(source: string): Promise<TaskRow[]> {
    return this.db
      .selectFrom("tasks")
      .selectAll()
      .where("source", "=", source)
      .where("state", "in", active)
      .orderBy("created_at")
      .execute();
  }

  async countByState(source: string): Promise<Partial<Record<TaskState, number>>> {
    const rows = await this.db
      .selectFrom("tasks")
      .select((one) => ["state", one.fn.countAll<number>().as("count")])
      .where("source", "=", source)
      .groupBy("state")
      .execute();
    return Object.fromEntries(rows.map((row) => [row.state, Number(row.count)]));
  }

  /** Takes a slot of the site and the task, or nothing. */
  async begin(taskId: string, slots: number): Promise<Begin> {
    const hand = this.hand();
    return this.db.transaction().execute(async (trx): Promise<Begin> => {
      const row = await trx.selectFrom("tasks").selectAll().where("id", "=", taskId).forUpdate().executeTakeFirst();
      if (!row || (row.state !== "waiting" && row.state !== "unsure")) return { kind: "gone" };
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

  /**
   * The end of a run: claims are released (armed ones become doubt), the task is judged, its reports are written and its job
   * goes back to the queue, all in one transaction.
   * @returns null when the job is somebody else's by now; then they judge
   */
  async settle(
    taskId: string,
    job: Job,
    ending: Ending,
    { fallbackLink, rehearsal }: { fallbackLink: string; rehearsal: boolean },
  ): Promise<Judgement | null> {
    const { queue, vault, instance } = this.#o;
    const now = this.now();
    const row = await this.task(taskId);
    if (!row) return null;
    const cookie = await this.sessions.cookie(row.account_key);
    const judgement = await this.db.transaction().execute(async (trx) => {
      const truth = await this.#judge(trx, row, ending, { cookie, fallbackLink, holder: instance }, now);
      // A rehearsal leaves nothing behind: neither a report nor a job.
      const judged: Judgement = rehearsal ? { ...truth, state: "waiting", reports: [], againMs: null, failure: ending.failure } : truth;
      await freeSlot(trx, taskId, instance);
      const mine =
        judged.againMs === null
          ? await queue.done(job, { trx: trx as never })
          : await queue.giveBack(job, { afterMs: judged.againMs, priority: row.priority }, { trx: trx as never });
      if (!mine) return null;
      await this.#apply(trx, row.id, judged, now);
      await enqueueReports(trx, taskId, judged.reports, now, vault);
      return judged;
    });
    await this.flush();
    return judgement;
  }

  async #judge(
    trx: Database,
    row: TaskRow,
    ending: Ending,
    of: { cookie: string; fallbackLink: string; /** null: whoever held them is dead. */ holder: string | null },
    now: Date,
  ): Promise<Judgement> {
    const { holder: mine, ...links } = of;
    for (const { episode_id, holder } of await episodesOf(trx, row)) {
      if (holder !== null && (mine === null || holder === mine))
        await release(
          trx,
          { accountKey: row.account_key, episodeId: episode_id },
          now,
          ending.failure?.detail || "the run ended between the click and its outcome",
        );
    }
    const deaths = row.worker_deaths + (ending.kind === "died" ? 1 : 0);
    const fresh = await trx
      .updateTable("tasks")
      .set({ worker_deaths: deaths })
      .where("id", "=", row.id)
      .returning(["link_rss", "tries"])
      .executeTakeFirstOrThrow();
    const rows = await episodesOf(trx, row);
    const judged = judgeTask(
      { episodes: rows, linkRss: fresh.link_rss, workerDeaths: deaths, tries: fresh.tries, ...links },
      ending,
      now,
      this.#o.random,
    );
    if (judged.state === "canceled")
      for (const one of rows)
        await moveEpisode(trx, { accountKey: row.account_key, episodeId: one.episode_id }, now, {
          from: ["waiting"],
          to: "canceled",
        });
    return judged;
  }

  async #apply(trx: Database, taskId: string, judged: Judgement, now: Date): Promise<void> {
    const notBefore = judged.againMs ? new Date(now.getTime() + judged.againMs) : null;
    await moveTask(trx, taskId, now, {
      from: ["running"],
      to: judged.state,
      set: {
        tries: judged.tries,
        waits_for: judged.waitsFor,
        not_before: notBefore,
        failure: judged.failure && JSON.stringify(judged.failure),
      },
    });
  }

  /** A task that a dead holder left claimed or running: its claims are released. @returns when it may run again, null when it was not in anybody's hands */
  async adopt(taskId: string): Promise<Judgement | null> {
    const now = this.now();
    return this.db.transaction().execute(async (trx) => {
      const row = await trx.selectFrom("tasks").selectAll().where("id", "=", taskId).forUpdate().executeTakeFirst();
      if (!row || !inHands.includes(row.state)) return null;
      await trx.updateTable("site_slots").set({ holder: null, task_id: null, lease_until: null }).where("task_id", "=", taskId).execute();
      if (row.state === "claimed") await moveTask(trx, taskId, now, { from: ["claimed"], to: "running" });
      const judged = await this.#judge(
        trx,
        row,
        { kind: "stopped", failure: { code: "farm.stopping", detail: "the farm died between the click and its outcome" }, retryAt: null },
        { cookie: "", fallbackLink: "", holder: null },
        now,
      );
      // A task whose last episode was posted still has its feed to be read: that is for a run, so it is open again.
      const open: Judgement = judged.state === "unsure" ? judged : { ...judged, state: "waiting", reports: [], againMs: 0 };
      await this.#apply(trx, taskId, open, now);
      return open;
    });
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

  /** The source took it away while nobody worked on it: no further report. @returns false when it is in somebody's hands or has ended */
  async cancel(taskId: string, why: string): Promise<boolean> {
    const now = this.now();
    return this.db.transaction().execute(async (trx) => {
      const row = await moveTask(trx, taskId, now, {
        from: ["waiting", "unsure", "needs_person"],
        to: "canceled",
        set: { failure: JSON.stringify({ code: "task.canceled", detail: why } satisfies FailureData), waits_for: "", not_before: null },
      });
      if (!row) return false;
      for (const episodeId of row.episode_ids)
        await moveEpisode(trx, { accountKey: row.account_key, episodeId }, now, { from: ["waiting"], to: "canceled" });
      return true;
    });
  }
}
