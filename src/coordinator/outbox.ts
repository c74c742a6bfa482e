import type { Report } from "../contract/worker-api.ts";
import type { Clock } from "../kit/clock.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import type { Log } from "../kit/log.ts";
import type { Queue } from "../store/queue.ts";
import type { Vault } from "../store/vault.ts";
import { backoffMs, jitterMs } from "./backoff.ts";
import { moveEpisode } from "./episodes.ts";
import type { Random } from "./ports.ts";
import type { Source } from "./source.ts";
import type { Database, OutboxRow } from "./tables.ts";
import { cancelTask } from "./tasks.ts";

/**
 * Reports on their way to the source: rows written in the same transaction as the move they tell of, delivered in the order
 * of their task, for ever. A reply that is lost is delivered again; the manager takes everything twice.
 */
export interface OutboxOptions {
  db: Database;
  vault: Vault;
  queue: Queue;
  source: Source;
  clock: Clock;
  random: Random;
  log: Log;
  onDelivered(row: { taskId: string; report: Report }): void;
  onStarted(taskId: string): void;
  /** The source said that the task is nobody's any more, or somebody else's: it is canceled here. */
  onStartRefused(taskId: string, why: string): void;
  /** null: the source takes our key. */
  onRefused(why: string | null): void;
}

export interface OutboxCounts {
  pending: number;
  refused: number;
  oldest: Date | null;
}

const BATCH = 8;
/** A report that is being sent is hidden from other farms this long; a dead sender's comes back then. Sent by two it does no harm. */
const IN_FLIGHT_MS = 10_000;
const REFUSED_KEY_MS = 5 * 60_000;
const IDLE_MS = 30_000;
/** While the source does not answer, one report goes ahead so often; the others follow it when it arrives. */
const CANARY_MS = 3000;

const cookieAt = (taskId: string): string => `outbox:${taskId}:cookie`;

/** Inside the transaction of the move that is reported. */
export async function enqueueReports(trx: Database, taskId: string, reports: readonly Report[], now: Date, vault: Vault): Promise<void> {
  for (const report of reports) {
    const sealed: Report =
      report.kind === "account" && report.cookie ? { ...report, cookie: vault.seal(report.cookie, cookieAt(taskId)) } : report;
    await trx
      .insertInto("outbox")
      .values({ task_id: taskId, kind: report.kind, report: JSON.stringify(sealed), due: now, created_at: now })
      .execute();
  }
}

export async function hasPending(db: Database, taskId: string): Promise<boolean> {
  return (
    (await db
      .selectFrom("outbox")
      .select("seq")
      .where("task_id", "=", taskId)
      .where("state", "=", "pending")
      .limit(1)
      .executeTakeFirst()) !== undefined
  );
}

export async function countOutbox(db: Database, sources: readonly string[]): Promise<OutboxCounts> {
  const rows = await db
    .selectFrom("outbox")
    .innerJoin("tasks", "tasks.id", "outbox.task_id")
    .select((one) => ["outbox.state", one.fn.countAll<number>().as("count"), one.fn.min("outbox.created_at").as("oldest")])
    .where("tasks.source", "in", sources)
    .where("outbox.state", "!=", "delivered")
    .groupBy("outbox.state")
    .execute();
  const of = (state: string) => rows.find((row) => row.state === state);
  return { pending: Number(of("pending")?.count ?? 0), refused: Number(of("refused")?.count ?? 0), oldest: of("pending")?.oldest ?? null };
}

export class Outbox {
  readonly #o: OutboxOptions;
  /** The last word of the source was none: it is down, or the way to it is. */
  #silent = false;

  constructor(options: OutboxOptions) {
    this.#o = options;
  }

  /** All that waits for our source is due: at an embedded start, since a dead predecessor may have been sending, and when the source is back. */
  async recover(): Promise<void> {
    await this.#o.db
      .updateTable("outbox")
      .set({ due: this.#now() })
      .where("state", "=", "pending")
      .where("task_id", "in", (inner) => inner.selectFrom("tasks").select("id").where("source", "=", this.#o.source.name))
      .execute();
  }

  /** Sends what is due. @returns how long nothing will be due, ms */
  async turn(): Promise<number> {
    if (this.#silent) return this.#sendCanary();
    const rows = await this.#take(BATCH, this.#now());
    if (rows.length === 0) return this.#untilDue();
    await Promise.all(rows.map(async (row) => this.#send(row)));
    return 0;
  }

  /** An hour's outage must not cost the minutes of an hour's back-off: the oldest report alone asks again and again. */
  async #sendCanary(): Promise<number> {
    const [row] = await this.#take(1, null);
    if (!row) {
      this.#silent = false;
      return this.#untilDue();
    }
    await this.#send(row);
    if (this.#silent) return jitterMs(CANARY_MS, this.#o.random);
    await this.recover();
    return 0;
  }

  #now(): Date {
    return new Date(this.#o.clock.now());
  }

  /** The oldest pending report of each task of our source: the others wait behind it. */
  #heads(db: Database) {
    const { source } = this.#o;
    return db
      .selectFrom("outbox as head")
      .where("head.state", "=", "pending")
      .where((where) =>
        where.exists(
          where.selectFrom("tasks").select("tasks.id").whereRef("tasks.id", "=", "head.task_id").where("tasks.source", "=", source.name),
        ),
      )
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom("outbox as earlier")
              .select("earlier.seq")
              .whereRef("earlier.task_id", "=", "head.task_id")
              .where("earlier.state", "=", "pending")
              .whereRef("earlier.seq", "<", "head.seq"),
          ),
        ),
      );
  }

  /** Takes reports out of other farms' sight while they are sent. @param dueBy null: the oldest, due or not */
  async #take(limit: number, dueBy: Date | null): Promise<OutboxRow[]> {
    const now = this.#now();
    return this.#o.db.transaction().execute(async (trx) => {
      const heads = await this.#heads(trx)
        .select("head.seq")
        .$if(dueBy !== null, (query) => query.where("head.due", "<=", dueBy))
        .orderBy("head.due")
        .limit(limit)
        .forUpdate()
        .skipLocked()
        .execute();
      if (heads.length === 0) return [];
      return trx
        .updateTable("outbox")
        .set({ due: new Date(now.getTime() + IN_FLIGHT_MS) })
        .where(
          "seq",
          "in",
          heads.map((row) => row.seq),
        )
        .where("state", "=", "pending")
        .returningAll()
        .execute();
    });
  }

  async #untilDue(): Promise<number> {
    const next = await this.#heads(this.#o.db)
      .select((one) => one.fn.min("head.due").as("due"))
      .executeTakeFirst();
    return next?.due ? Math.min(IDLE_MS, Math.max(50, next.due.getTime() - this.#o.clock.now())) : IDLE_MS;
  }

  async #send(row: OutboxRow): Promise<void> {
    const { source, log, vault, onRefused } = this.#o;
    const report: Report =
      row.report.kind === "account" && row.report.cookie
        ? { ...row.report, cookie: vault.open(row.report.cookie, cookieAt(row.task_id)) }
        : row.report;
    crashpoint("outbox-sending");
    const answer = await source.deliver(row.task_id, report);
    crashpoint("outbox-answered");
    // One that asks us to wait (429) is there; what does not say how long, is not.
    this.#silent = answer.kind === "again" && answer.retryAfterMs === null;
    if (answer.kind !== "refused" && answer.kind !== "again") onRefused(null);
    switch (answer.kind) {
      case "delivered":
        await this.#settle(row, report, "delivered", "");
        log.info(`reported ${row.kind}`, { task: row.task_id });
        return;
      case "final":
        await this.#settle(row, report, "refused", answer.why);
        log.warn(`the report ${row.kind} was refused for good: ${answer.why}`, { task: row.task_id });
        return;
      case "refused":
        onRefused(answer.why);
        await this.#later(row, REFUSED_KEY_MS, answer.why);
        return;
      case "again":
        await this.#later(row, Math.max(answer.retryAfterMs ?? 0, backoffMs(row.attempts, this.#o.random)), answer.why);
    }
  }

  async #later(row: OutboxRow, afterMs: number, why: string): Promise<void> {
    const { db, log, clock } = this.#o;
    await db
      .updateTable("outbox")
      .set({ due: new Date(clock.now() + afterMs), attempts: row.attempts + 1, why })
      .where("seq", "=", row.seq)
      .execute();
    log.debug(`the report ${row.kind} waits ${Math.round(afterMs / 1000)} s: ${why}`, { task: row.task_id });
  }

  /** The answer and what follows from it, in one transaction. */
  async #settle(row: OutboxRow, report: Report, state: "delivered" | "refused", why: string): Promise<void> {
    const { db, onDelivered, onStarted, onStartRefused } = this.#o;
    const now = this.#now();
    let canceled = false;
    await db.transaction().execute(async (trx) => {
      await trx
        .updateTable("outbox")
        .set({ state, why, settled_at: now, attempts: row.attempts + 1 })
        .where("seq", "=", row.seq)
        .execute();
      if (state === "refused") {
        if (row.kind === "start") canceled = await cancelTask(trx, row.task_id, why, now);
        return;
      }
      if (row.kind === "start") await this.#begin(trx, row.task_id, now);
      if (row.kind === "complete") await this.#markReported(trx, row.task_id, now);
    });
    crashpoint(row.kind === "start" ? "start-delivered" : "outbox-acknowledged");
    if (canceled) onStartRefused(row.task_id, why);
    if (state === "refused") return;
    if (row.kind === "start") onStarted(row.task_id);
    onDelivered({ taskId: row.task_id, report });
  }

  /** Nobody works on a task before the source has heard of it: only now it goes into the queue. */
  async #begin(trx: Database, taskId: string, now: Date): Promise<void> {
    const task = await trx
      .updateTable("tasks")
      .set({ renewed_at: now })
      .where("id", "=", taskId)
      .where("state", "=", "waiting")
      .returning(["account_key", "priority"])
      .executeTakeFirst();
    if (task) await this.#o.queue.send({ id: taskId, accountKey: task.account_key, priority: task.priority }, { trx: trx as never });
  }

  async #markReported(trx: Database, taskId: string, now: Date): Promise<void> {
    const task = await trx.selectFrom("tasks").select(["account_key", "episode_ids"]).where("id", "=", taskId).executeTakeFirst();
    for (const episodeId of task?.episode_ids ?? [])
      await moveEpisode(trx, { accountKey: task?.account_key ?? "", episodeId }, now, { from: ["posted"], to: "reported" });
  }
}
