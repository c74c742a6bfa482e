import type { Log } from "../kit/log.ts";
import type { Job, Queue } from "../store/queue.ts";
import type { Random } from "./ports.ts";
import { jitterMs } from "./backoff.ts";
import { createCalls } from "./calls.ts";
import type { Ending } from "./decide.ts";
import type { Ledger } from "./ledger.ts";
import { sayFailure, toFailureData, type FailureData } from "../contract/failures.ts";
import type { TaskState } from "../contract/states.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { checksAtOnce, isAnswer, isCheck, isSurelyOurs } from "./checks.ts";
import { preflight } from "./next-episode.ts";
import { TaskRun, type RunEnvironment } from "./task-run.ts";
import type { Site } from "./sites.ts";
import type { TaskRow } from "./tables.ts";

export interface DispatcherOptions {
  environment: RunEnvironment;
  queue: Queue;
  concurrency: number;
  random: Random;
  log: Log;
  /** With the driver as it is at this moment. */
  freshSite(domain: string): Promise<Site | null>;
  /** A run has ended: there is room, and perhaps something to report. */
  onSettled(): void;
}

const POLL_MS = 1000;
const SITE_FULL_MS = 1500;
const DISK_MS = 10_000;
const NOT_OURS_MS = 10_000;
const CHECK_YIELDS_MS = 2000;
/** Where more are there than may run at a time, most of them would come back in vain. */
const CHECKS_QUEUE_MS = 15_000;

/**
 * Starts what may start. The queue hands out at most one task an account; the ledger gives at most N slots a site; here is
 * decided how many run at a time. Nothing is started by anybody else.
 */
export class Dispatcher {
  readonly #o: DispatcherOptions;
  readonly #ledger: Ledger;
  readonly runs = new Map<string, TaskRun>();
  readonly #ends = new Set<Promise<void>>();
  /** Taken, and not begun because something broke: nobody would ever free them while we are alive. */
  #stranded: Job[] = [];
  /** Rehearsals that have come to their end. */
  readonly rehearsed = new Set<string>();
  draining = false;
  /** Why nothing starts, or null. */
  waits: string | null = null;

  constructor(options: DispatcherOptions) {
    this.#o = options;
    this.#ledger = options.environment.ledger;
  }

  /** Fills the free places. @returns how long to rest, ms */
  async turn(): Promise<number> {
    // What a drain meets in the middle of its start has to be waited for as well.
    const turning = this.#turn();
    const over: Promise<void> = turning
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#ends.delete(over));
    this.#ends.add(over);
    return turning;
  }

  async #turn(): Promise<number> {
    const free = this.#o.concurrency - this.runs.size;
    if (this.draining || free <= 0) return DISK_MS;
    this.waits = await this.#o.environment.disk();
    if (this.waits) return DISK_MS;
    await this.#returnStranded();
    const checks = await this.#startPosting();
    const yieldsMs = checks.length > checksAtOnce(this.#o.concurrency) ? CHECKS_QUEUE_MS : CHECK_YIELDS_MS;
    for (const job of checks) await this.#unlessBroken(job, async () => this.#startCheck(job, yieldsMs));
    return POLL_MS;
  }

  /** Work goes before checks, which are kept in hand until nothing else is there to be started. @returns those checks */
  async #startPosting(): Promise<Job[]> {
    const checks: Job[] = [];
    for (let seen = -1; seen < checks.length;) {
      seen = checks.length;
      const free = this.#o.concurrency - this.runs.size;
      const jobs = await this.#take(free, checks);
      if (jobs.length > 0) crashpoint("job-taken");
      for (const job of jobs)
        await this.#unlessBroken(job, async () => {
          const row = await this.#ledger.task(job.id);
          if (row && isCheck(row.data)) checks.push(job);
          else await this.#start(job, row);
        });
    }
    return checks;
  }

  async #take(limit: number, inHand: Job[]): Promise<Job[]> {
    if (limit <= 0) return [];
    return this.#o.queue.take(limit).catch((error: unknown) => {
      this.#stranded.push(...inHand);
      throw error;
    });
  }

  async #unlessBroken(job: Job, start: () => Promise<void>): Promise<void> {
    await start().catch((error: unknown) => {
      this.#o.log.error(`can't be started: ${error instanceof Error ? error.message : String(error)}`, { task: job.id });
      this.#stranded.push(job);
    });
  }

  /** Where posting work left room, here and at the site, and no more than the checks' share. */
  async #startCheck(job: Job, yieldsMs: number): Promise<void> {
    const { concurrency, queue, random, environment } = this.#o;
    const fits = this.runs.size < concurrency && this.checks < checksAtOnce(concurrency);
    const row = fits ? await this.#ledger.task(job.id) : null;
    const names = environment.sources.map(({ name }) => name);
    const isBehind = row !== null && job.accountKey === row.account_key && (await this.#ledger.postingWaits(names, row.site));
    // A farm that stood still, or was alone with its network: the manager may have given it to another one.
    const isSure = !row || !isCheck(row.data) || isSurelyOurs(row, this.#ledger.now());
    if (fits && !isBehind && isSure) return this.#start(job, row);
    if (!isSure) await this.#ledger.sayWhy(job.id, "the manager has to show it once more: it may be another farm's by now");
    if (isBehind) await this.#ledger.sayWhy(job.id, `what is to be posted at ${row.site} goes first`);
    await queue.giveBack(job, { afterMs: jitterMs(yieldsMs, random) });
  }

  /** Checks that run here. */
  get checks(): number {
    return [...this.runs.values()].filter(({ isCheck: check }) => check).length;
  }

  /** @throws while the database does not take them; they stay with us then */
  async #returnStranded(): Promise<void> {
    for (let job = this.#stranded[0]; job; job = this.#stranded[0]) {
      await this.#o.queue.giveBack(job, { afterMs: POLL_MS });
      this.#stranded.shift();
    }
  }

  async #start(job: Job, known: TaskRow | null): Promise<void> {
    const { queue, freshSite, random, environment } = this.#o;
    const site = known && (await freshSite(known.host));
    let row = known;
    if (!row) return this.#drop(job, "it is not in the ledger");
    // A check may come back under another account; its own job stands behind that account's work, this one behind nobody's.
    if (isCheck(row.data) && job.accountKey !== row.account_key) return this.#drop(job, "its account is another one by now");
    // Another farm's on this database, or a driver that this one lacks.
    const source = environment.sources.find(({ name }) => name === known?.source);
    const own = [...this.runs.values()].find((run) => run.task.account_key === known?.account_key);
    if (!site || !source) {
      // Its source may never come back: what died at work holds its login no longer.
      if (!own) await this.#ledger.adopt(job.id);
      // Never after the same time: it would come back at the moment at which this farm asks again, and never get to the other.
      return void (await queue.giveBack(job, { afterMs: jitterMs(NOT_OURS_MS, random) }));
    }
    if (this.draining) return void (await queue.giveBack(job, { afterMs: 0 }));
    // Its claim was lost, and the worker has not let go yet: one session an account.
    if (own) {
      this.#letGo(own);
      return void (await queue.giveBack(job, { afterMs: POLL_MS }));
    }
    const earlyMs = row.not_before ? row.not_before.getTime() - this.#ledger.now().getTime() : 0;
    if (earlyMs > 0) return void (await queue.giveBack(job, { afterMs: earlyMs }));
    // The queue gave it to us, so whoever held it is dead.
    const adopted = await this.#ledger.adopt(job.id);
    if (adopted?.againMs) return void (await queue.giveBack(job, { afterMs: adopted.againMs }));
    row = await this.#ledger.nameLogin(row, site.card);
    // Behind the adoption: of two that a dead farm left at work, one goes on.
    const begun = await this.#ledger.begin(job.id, site.card.concurrency);
    if (begun.kind === "elsewhere") {
      await this.#ledger.sayWhy(job.id, `${row.account_name} is signed in for another task`);
      return void (await queue.giveBack(job, { afterMs: jitterMs(SITE_FULL_MS, random) }));
    }
    if (begun.kind === "stopped")
      // What else an account stands still for says nothing about its sign-in.
      return isCheck(row.data) && isAnswer(begun.failure.code)
        ? this.#refuse(job, row, begun.failure)
        : this.#hold(job, row, begun.failure);
    if (begun.kind === "gone") return this.#drop(job, `it is ${row.state}`);
    if (begun.kind === "site-full") {
      await this.#ledger.sayWhy(job.id, `the ${site.card.concurrency} sessions that ${site.card.site} allows are in use`);
      return void (await queue.giveBack(job, { afterMs: jitterMs(SITE_FULL_MS, random) }));
    }
    crashpoint("begun");
    const run = new TaskRun(environment, begun.task, site, job, source);
    run.draining = this.draining;
    this.runs.set(job.id, run);
    this.#tell(run.task, "running", null, "");
    const end = this.#follow(run).finally(() => {
      run.unpinSecrets();
      this.#ends.delete(end);
    });
    this.#ends.add(end);
  }

  async #hold(job: Job, row: TaskRow, failure: FailureData): Promise<void> {
    if (!(await this.#ledger.hold(job.id, job, failure))) return;
    const why = sayFailure(failure);
    this.#o.log.warn(`waits for a person: ${why}`, { task: job.id, account: row.account_name });
    this.#tell(row, "needs_person", failure, why);
    this.#o.onSettled();
  }

  /** A check of an account that stands still: that is the answer. */
  async #refuse(job: Job, row: TaskRow, failure: FailureData): Promise<void> {
    if (!(await this.#ledger.refuseCheck(job.id, job, failure))) return;
    const why = sayFailure(failure);
    this.#o.log.warn(`the check fails: ${why}`, { task: job.id, account: row.account_name, site: row.site });
    this.#tell(row, "failed", failure, why);
    this.#o.onSettled();
  }

  #tell(row: TaskRow, state: TaskState, failure: FailureData | null, why: string): void {
    const { id: taskId, account_name: account, site } = row;
    this.#o.environment.events.emit(isCheck(row.data) ? "check" : "task", { taskId, state, account, site, failure, why });
  }

  async #drop(job: Job, why: string): Promise<void> {
    this.#o.log.debug(`dropped from the queue: ${why}`, { task: job.id });
    await this.#o.queue.done(job);
  }

  async #follow(run: TaskRun): Promise<void> {
    run.log.info(`starts: ${sayWork(run)}`);
    const ending = (await this.#preflight(run)) ?? (await run.toItsEnd(createCalls(run)));
    await this.#settle(run, ending);
  }

  async #preflight(run: TaskRun): Promise<Ending | null> {
    const ending = await preflight(run).catch((error: unknown): Ending => ({
      kind: "failed",
      failure: toFailureData(error),
      retryAt: null,
    }));
    if (ending) this.#o.environment.lane.drop(run.task.id);
    return ending;
  }

  /** Tries until the ledger takes it: a run whose end is not written down would block its account. */
  async #settle(run: TaskRun, ending: Ending): Promise<void> {
    const { clock } = this.#o.environment;
    crashpoint("before-settle");
    for (;;) {
      try {
        const judged = await this.#ledger.settle(run.task.id, run.job, ending, {
          fallbackLink: run.site.origin,
          rehearsal: run.environment.mode !== "post",
          isOver: run.environment.mode === "walk",
          triedWith: run.task.sealed_credentials,
        });
        crashpoint("outbox-written");
        this.runs.delete(run.task.id);
        if (run.environment.mode !== "post") this.rehearsed.add(run.task.id);
        const state = judged?.state ?? "waiting";
        const why = judged?.failure ? sayFailure(judged.failure) : (judged?.waitsFor ?? "somebody else has it by now");
        run.log[state === "failed" || state === "needs_person" ? "warn" : "info"](`ends: ${state}${why ? `. ${why}` : ""}`);
        this.#tell(run.task, state, judged?.failure ?? null, why);
        this.#o.onSettled();
        return;
      } catch (error) {
        run.log.error(`its end can't be written down: ${error instanceof Error ? error.message : String(error)}`);
        if (this.draining) return;
        await clock.sleep(POLL_MS);
      }
    }
  }

  /** Signs of life for all runs; one whose job went to somebody else is stopped. @returns how long to rest, ms */
  async heartbeat(everyMs: number): Promise<number> {
    for (const run of this.runs.values()) {
      const mine = await this.#o.queue.touch(run.job);
      if (mine) await this.#ledger.renew(run.task.id);
      else this.#letGo(run);
    }
    return everyMs;
  }

  #letGo(run: TaskRun): void {
    if (run.ending) return;
    run.end({ kind: "stopped", failure: { code: "farm.stopping", detail: "the claim on the task was lost" } });
    void run.cancel("the claim on the task was lost");
  }

  /** No new starts; runs stop after the episode they are at. */
  drain(): void {
    this.draining = true;
    for (const run of this.runs.values()) {
      run.draining = true;
      // Nothing is gained by waiting for files that nobody will post now.
      this.#o.environment.lane.drop(run.task.id);
    }
  }

  async cancelAll(reason: string): Promise<void> {
    await Promise.all([...this.runs.values()].map(async (run) => run.cancel(reason)));
  }

  /** Resolves when no run is left. */
  async ended(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends);
  }
}

function sayWork({ isCheck: check, isImport, task, total }: TaskRun): string {
  if (check) return "a check of the sign-in";
  return isImport ? `the import of ${task.episode_ids.join()}` : `${total} episodes`;
}
