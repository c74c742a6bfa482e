import { CompiledQuery, type Kysely, type Transaction } from "kysely";
import { PgBoss, type CommandResponse, type Db, type JobWithMetadata } from "pg-boss";
import type { Log } from "../kit/log.ts";
import type { Store } from "./store.ts";

/** A piece of work in somebody's hands. Every call takes the object: its attempt is the fence against a holder that came back late. */
export interface Job {
  /** As it was sent: the task's id. */
  readonly id: string;
  /** At most one job of an account is in anybody's hands. */
  readonly accountKey: string;
  /** How many holders died over it since it was sent or given back. */
  readonly deaths: number;
  /** The queue's own name of this job and attempt. */
  readonly ticket: { readonly id: string; readonly retryCount: number };
  readonly priority: number;
}

export interface Sending {
  id: string;
  accountKey: string;
  /** Higher goes first, default 0; between accounts only: within one account the oldest goes first. */
  priority?: number;
  /** Not handed out before. */
  startAfter?: Date;
}

/** A transaction of any part: the job appears and vanishes together with the part's own rows. */
export interface InTransaction {
  // oxlint-disable-next-line typescript/no-explicit-any
  trx?: Transaction<any>;
}

/** At-least-once, priority, one active job an account. Effects need a fence of their own: a slow holder may outlive its job. */
export interface Queue {
  send(sending: Sending, options?: InTransaction): Promise<void>;
  /** Up to `limit` jobs that may start now, best first; each of another account. [] when there is none. */
  take(limit: number): Promise<Job[]>;
  /** @returns false when the job is no longer the caller's */
  done(job: Job, options?: InTransaction): Promise<boolean>;
  /** Queued again behind the account's other jobs, `afterMs` from now. @returns false when the job is no longer the caller's */
  giveBack(job: Job, after: { afterMs: number; priority?: number }, options?: InTransaction): Promise<boolean>;
  /** "I am alive": needed every 3 s on PostgreSQL, where a silent holder loses its job after 10 s. @returns false when it is lost already */
  touch(job: Job): Promise<boolean>;
  /**
   * At start, before the first `take`: jobs of a dead predecessor are free at once on the embedded backend, where nobody
   * else can hold any. On PostgreSQL another farm may be alive: there the heartbeat decides, and this does nothing.
   * @returns how many were freed
   */
  recoverDead(): Promise<number>;
  /** Ids of all that was sent and is not done. */
  pending(): Promise<string[]>;
  close(): Promise<void>;
}

const SCHEMA = "farm_queue";
const QUEUE = "tasks";
/** The least that pg-boss takes. */
const HEARTBEAT_SECONDS = 10;
/** pg-boss ends a job that runs longer, heartbeat or not; a day is its maximum. */
const EXPIRE_SECONDS = 24 * 3600;
/** A waiting job is never thrown away. */
const RETENTION_SECONDS = 10 * 365 * 24 * 3600;
const DELETE_DONE_AFTER_SECONDS = 3600;
/** A holder's death is no reason to drop a job; the coordinator parks poison by `deaths`. */
const RETRY_LIMIT = 1_000_000;
/** The cache never goes stale: this process makes the only queue, and a cold cache inside a transaction would deadlock PGlite's one connection. */
const NEVER_SECONDS = 24 * 3600;

/** pg-boss in schema farm_queue of the same database. */
export async function openQueue(store: Store, log: Log): Promise<Queue> {
  const embedded = store.backend === "pglite";
  const db: Db = { executeSql: async (text, values) => store.raw(text, values) };
  const boss = await startBoss({
    db,
    schema: SCHEMA,
    backend: embedded ? "pglite" : "postgres",
    schedule: false,
    // Embedded: nobody else can die, so nothing has to be watched by the second.
    superviseIntervalSeconds: embedded ? 300 : 1,
    monitorIntervalSeconds: embedded ? 300 : 1,
    queueCacheIntervalSeconds: NEVER_SECONDS,
    flowIntervalSeconds: 3600,
    bamIntervalSeconds: 3600,
  });
  boss.on("error", (error) => log.warn("the queue's upkeep failed", { error: error.message }));
  boss.on("warning", (warning) => log.debug(warning.message, { part: "queue" }));
  await boss.createQueue(QUEUE, {
    // Not "singleton": there a waiting job of a busy account at the head makes every fetch come back empty.
    policy: "key_strict_fifo",
    retryLimit: RETRY_LIMIT,
    retryDelay: 0,
    expireInSeconds: EXPIRE_SECONDS,
    retentionSeconds: RETENTION_SECONDS,
    deleteAfterSeconds: DELETE_DONE_AFTER_SECONDS,
    ...(!embedded && { heartbeatSeconds: HEARTBEAT_SECONDS }),
  });
  await boss.findJobs(QUEUE, { queued: true });

  // oxlint-disable-next-line typescript/no-explicit-any
  const part = store.part<any>("farm");
  const send = async ({ id, accountKey, priority = 0, startAfter }: Sending, { trx }: InTransaction = {}): Promise<void> => {
    const sent = await boss.send(
      QUEUE,
      { id, accountKey },
      { singletonKey: accountKey, priority, ...(startAfter && { startAfter }), ...(trx && { db: within(trx) }) },
    );
    if (sent === null) throw new Error(`the queue did not take ${id}`);
  };
  const done = async (job: Job, { trx }: InTransaction = {}): Promise<boolean> => {
    return hit(await boss.complete(QUEUE, job.ticket, undefined, trx ? { db: within(trx) } : {}));
  };
  return {
    send,
    done,
    async take(limit) {
      const jobs = await boss.fetch<{ id: string; accountKey: string }>(QUEUE, { batchSize: limit, includeMetadata: true });
      jobs.sort((a, b) => b.priority - a.priority || a.createdOn.getTime() - b.createdOn.getTime());
      return jobs.map((job) => ({
        id: job.data.id,
        accountKey: job.data.accountKey,
        deaths: job.retryCount,
        priority: job.priority,
        ticket: { id: job.id, retryCount: job.retryCount },
      }));
    },
    async giveBack(job, { afterMs, priority = job.priority }, { trx } = {}) {
      // A new job rather than a retry: it goes behind the account's others, and its deaths start at none.
      const swap = async (inner: Transaction<unknown>): Promise<boolean> => {
        if (!(await done(job, { trx: inner }))) return false;
        await send({ id: job.id, accountKey: job.accountKey, priority, startAfter: new Date(Date.now() + afterMs) }, { trx: inner });
        return true;
      };
      return trx ? swap(trx) : part.transaction().execute(swap);
    },
    async touch(job) {
      return hit(await boss.touch(QUEUE, job.ticket));
    },
    async recoverDead() {
      if (!embedded) return 0;
      const held = (await boss.findJobs(QUEUE)).filter((job) => job.state === "active");
      if (held.length > 0) await boss.fail(QUEUE, held);
      return held.length;
    },
    async pending() {
      const jobs: JobWithMetadata<{ id: string }>[] = await boss.findJobs(QUEUE);
      return jobs.filter((job) => job.state === "created" || job.state === "retry" || job.state === "active").map((job) => job.data.id);
    },
    async close() {
      await boss.stop({ graceful: false, close: false });
    },
  };
}

/** Of PostgreSQL: something of that name was made by somebody else a moment ago. */
const madeMeanwhile: ReadonlySet<string> = new Set(["23505", "42P06", "42P07"]);
const START_TRIES = 5;

/** Processes that start at once on an empty database collide over the queue's schema, IF NOT EXISTS or not. */
async function startBoss(options: ConstructorParameters<typeof PgBoss>[0] & object): Promise<PgBoss> {
  for (let tries = 1; ; tries += 1) {
    const boss = new PgBoss(options);
    try {
      return await boss.start();
    } catch (error) {
      if (tries >= START_TRIES || !madeMeanwhile.has((error as { code?: string }).code ?? "")) throw error;
    }
  }
}

/** pg-boss counts the rows it changed and leaves the field out of its types. */
function hit(response: CommandResponse): boolean {
  return (response as { affected?: number }).affected === 1;
}

function within(trx: Transaction<unknown> | Kysely<unknown>): Db {
  return {
    executeSql: async (text, values = []) => {
      const { rows } = await trx.executeQuery(CompiledQuery.raw(text, values));
      return { rows: [...rows] };
    },
  };
}
