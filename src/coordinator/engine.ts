import { EventEmitter } from "node:events";
import type { z } from "zod";
import { sayFailure } from "../contract/failures.ts";
import type { DriverCard } from "../contract/task.ts";
import type { Clock } from "../kit/clock.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { DeadlineError } from "../kit/deadline.ts";
import type { Log } from "../kit/log.ts";
import type { Queue } from "../store/queue.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../store/vault.ts";
import { Bell, loop } from "./bell.ts";
import { CheckPuller } from "./check-puller.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { FarmEvents } from "./events.ts";
import { handOver, takeBack, type HandOver, type handedBack } from "./hand-over.ts";
import { keepAlive } from "./keep-alive.ts";
import { Ledger } from "./ledger.ts";
import { forgetOld } from "./once-only.ts";
import { countOutbox, Outbox, type OutboxCounts } from "./outbox.ts";
import type { DiskProbe, Preflight, Prepare, Random, WorkerPool } from "./ports.ts";
import { PrepareLane } from "./prepare-lane.ts";
import { Puller } from "./puller.ts";
import { LimboWatch, recover } from "./recover.ts";
import { resolve, type Resolution } from "./resolve.ts";
import { everyRule, type Rules } from "./rules.ts";
import { listSessions, type SessionView } from "./session-list.ts";
import { makeSlots } from "./site-slots.ts";
import { findSite, importingHosts, servedHosts, type SitesMap } from "./sites.ts";
import type { Source } from "./source.ts";
import {
  countChecks,
  outboxStatus,
  runningTask,
  sayTaskWaits,
  sayWait,
  stoppedAccount,
  waitingPersons,
  type FarmStatus,
  type WaitingPerson,
} from "./status.ts";
import type { TaskRow } from "./tables.ts";
import type { RunEnvironment } from "./task-run.ts";

/** All that the coordinator needs of the world, as ports: real ones from `createFarm`, others under a simulation. */
export interface EngineOptions {
  store: Store;
  vault: Vault;
  queue: Queue;
  clock: Clock;
  random: Random;
  log: Log;
  source: Source | null;
  pool: WorkerPool;
  prepare: Prepare;
  /** Absent: what can't be posted is only found when its turn comes. */
  preflight?: Preflight;
  /** Episodes whose files are made at a time. */
  prepareParallel: number;
  disk: DiskProbe;
  /** Now and then: frees room that nobody needs. */
  tidy?: () => Promise<void>;
  cards: readonly DriverCard[];
  /** The driver's card as its file is at this moment; the same where it has not changed. Absent: they never change. */
  freshCard?: (card: DriverCard) => Promise<DriverCard>;
  sites: SitesMap;
  /** This process, unique. */
  instance: string;
  concurrency: number;
  pollMs: number;
  /** A claim without a sign of life stands this long, ms. */
  leaseMs: number;
  /** For a simulation only: rules that it switches off. */
  rules?: Partial<Rules>;
  /** What all assignments share. */
  work: Pick<
    RunEnvironment,
    "browser" | "imap" | "imapServers" | "locale" | "timeZone" | "stepTimeoutMs" | "settleMs" | "mode" | "evidenceDir" | "repost"
  >;
}

const HEARTBEAT_MS = 3000;
/** Nobody else can take a job from us there: only the claims' lease of a minute is to be renewed. */
const SOLE_HEARTBEAT_MS = 15_000;
const SWEEP_MS = 15_000;
const LIMBO_MS = 60_000;
const FORGET_MS = 3600_000;
const VIEW_MS = 5000;
const LAST_REPORTS_MS = 3000;
/** Kept back from a stop's deadline for the cancel ladder. */
const LADDER_MS = 12_000;

const noSource: Source = {
  name: "none",
  once: true,
  pull: async () => ({ kind: "tasks", tasks: [], broken: [] }),
  read: async () => ({ kind: "gone" }),
  deliver: async () => ({ kind: "delivered" }),
};

/** The coordinator: six loops around one ledger. They share nothing but rows and bells. */
export class Engine {
  readonly events = new EventEmitter<FarmEvents>();
  readonly ledger: Ledger;
  readonly #o: EngineOptions;
  readonly #source: Source;
  readonly #puller: Puller;
  readonly #checks: CheckPuller;
  readonly #outbox: Outbox;
  readonly #dispatcher: Dispatcher;
  readonly #bells = { pull: new Bell(), dispatch: new Bell(), outbox: new Bell(), view: new Bell() };
  readonly #pulling = new AbortController();
  readonly #running = new AbortController();
  #cards: readonly DriverCard[];
  #loops: Promise<void>[] = [];
  #view: { held: TaskRow[]; counts: FarmStatus["tasks"]; outbox: OutboxCounts; persons: WaitingPerson[] } = {
    held: [],
    counts: {},
    outbox: { pending: 0, refused: 0, oldest: null },
    persons: [],
  };

  constructor(options: EngineOptions) {
    this.#o = options;
    const { store, vault, queue, clock, random, log, pool, disk, sites, instance, concurrency } = options;
    this.#source = options.source ?? noSource;
    const source = this.#source;
    this.ledger = new Ledger({
      store,
      vault,
      queue,
      clock,
      random,
      instance,
      leaseMs: options.leaseMs,
      rules: { ...everyRule, ...options.rules },
    });
    const lane = new PrepareLane(options.prepare, options.prepareParallel, options.preflight);
    const environment: RunEnvironment = { ledger: this.ledger, source, pool, lane, clock, log, events: this.events, disk, ...options.work };
    this.#cards = options.cards;
    const site = (domain: string) => findSite(domain, this.#cards, sites);
    const freshSite = async (domain: string) => {
      const known = site(domain);
      return known && { ...known, card: await this.#fresh(known.card) };
    };
    this.#dispatcher = new Dispatcher({ environment, queue, concurrency, random, log, freshSite, onSettled: () => this.#ring() });
    const sitesHere = { findSite: site, servedHosts: () => servedHosts(this.#cards, sites) };
    this.#checks = new CheckPuller({
      ...sitesHere,
      source,
      ledger: this.ledger,
      clock,
      log,
      concurrency,
      running: () => this.#dispatcher.checks,
      onChange: () => this.#ring(),
      onLost: (id, why) => this.#lost(id, why),
    });
    this.#puller = new Puller({
      ...sitesHere,
      source,
      ledger: this.ledger,
      clock,
      random,
      log,
      disk,
      concurrency,
      running: () => this.#dispatcher.runs.size,
      pollMs: options.pollMs,
      importingHosts: () => importingHosts(this.#cards, sites),
      onAdmitted: () => this.#ring(),
      onSpare: (spare) => this.#checks.ask(spare),
    });
    this.#outbox = new Outbox({
      db: this.ledger.db,
      vault,
      queue,
      source,
      clock,
      random,
      log,
      onDelivered: (row) => this.#delivered(row),
      onStarted: () => this.#bells.dispatch.ring(),
      onStartRefused: (taskId, why) => this.#startRefused(taskId, why),
      onRefused: (why) => this.#keyRefused(why),
    });
  }

  /** Recovers what a dead predecessor left, then starts to work. */
  async start(): Promise<void> {
    const { queue, store, log, clock } = this.#o;
    const sole = store.backend === "pglite";
    // Three signs of life a lease, whatever else they are for.
    const beatMs = Math.min(sole ? SOLE_HEARTBEAT_MS : HEARTBEAT_MS, this.#o.leaseMs / 3);
    for (const card of this.#cards) await makeSlots(this.ledger.db, card.site, card.concurrency);
    await recover({ ledger: this.ledger, queue, source: this.#source.name, sole, log });
    if (sole) await this.#outbox.recover();
    await this.#look();
    const limbo = new LimboWatch({ ledger: this.ledger, queue, source: this.#source.name, log });
    const { pull, dispatch, outbox, view } = this.#bells;
    const until = this.#running.signal;
    const turns: { name: string; bell: Bell; signal: AbortSignal; turn: () => Promise<number> }[] = [
      { name: "pull", bell: pull, signal: this.#pulling.signal, turn: async () => this.#puller.turn() },
      { name: "dispatch", bell: dispatch, signal: this.#pulling.signal, turn: async () => this.#dispatcher.turn() },
      { name: "outbox", bell: outbox, signal: until, turn: async () => this.#outbox.turn() },
      {
        name: "heartbeat",
        bell: new Bell(),
        signal: until,
        turn: async () => this.#dispatcher.heartbeat(beatMs),
      },
      { name: "sweep", bell: new Bell(), signal: until, turn: async () => this.#sweep() },
      {
        name: "keep-alive",
        bell: new Bell(),
        signal: until,
        turn: async () =>
          keepAlive({
            ledger: this.ledger,
            source: this.#source,
            log,
            onCanceled: () => this.#ring(),
            onLost: (id, why) => this.#lost(id, why),
          }),
      },
      { name: "checks", bell: new Bell(), signal: until, turn: async () => this.#checks.renew() },
      { name: "limbo", bell: new Bell(), signal: until, turn: async () => limbo.look().then(() => LIMBO_MS) },
      { name: "forget", bell: new Bell(), signal: until, turn: async () => this.#forget() },
      { name: "view", bell: view, signal: until, turn: async () => this.#look().then(() => VIEW_MS) },
    ];
    this.#loops = turns.map(async (one) => loop({ ...one, clock, log }));
  }

  /** Drains: nothing new, running tasks reach a safe point, what is late is canceled; then the last reports. */
  async stop(deadlineMs: number): Promise<void> {
    const { clock } = this.#o;
    crashpoint("shutdown");
    this.#dispatcher.drain();
    this.#pulling.abort();
    this.#ring();
    const ended = this.#dispatcher.ended().then(() => true);
    const late = async (ms: number): Promise<boolean> => {
      const early = new AbortController();
      return Promise.race([ended.finally(() => early.abort()), clock.sleep(ms, early.signal).then(() => false)]);
    };
    if (!(await late(Math.max(0, deadlineMs - LADDER_MS)))) {
      await this.#dispatcher.cancelAll("the farm is shutting down");
      await late(LADDER_MS);
    }
    const until = clock.monotonic() + Math.min(LAST_REPORTS_MS, deadlineMs);
    while (
      this.#loops.length > 0 &&
      clock.monotonic() < until &&
      (await countOutbox(this.ledger.db, this.#source.name)).pending > 0 &&
      !this.#puller.keyRefused
    ) {
      this.#bells.outbox.ring();
      await clock.sleep(50);
    }
    this.#running.abort();
    await Promise.all([...this.#loops, this.#checks.stop(LAST_REPORTS_MS)]);
  }

  /** What a person saw on the site. @returns null when taken, else why not */
  async resolve(word: Resolution): Promise<string | null> {
    const refusal = await resolve(this.ledger, this.#o.queue, word);
    this.#ring();
    return refusal;
  }

  /** The session that a person is to go on in. @returns why not, as text */
  async handOver(taskId: string): Promise<(HandOver & { locale: string; timeZone: string }) | string> {
    const { locale, timeZone } = this.#o.work;
    const given = await handOver(this.ledger, taskId, (host) => this.#originOf(host));
    if (typeof given === "string") return given;
    // The language in which the crew's browser saw the page.
    const own = this.#cards.find((card) => card.site === given.site)?.locale;
    return { ...given, locale: own ?? locale, timeZone };
  }

  /** …and as they left it: the task goes on. @returns null when taken, else why not */
  async takeBack(word: z.output<typeof handedBack>): Promise<string | null> {
    const refusal = await takeBack(this.ledger, this.#o.queue, word, (host) => this.#originOf(host));
    this.#ring();
    return refusal;
  }

  #originOf(host: string): string | null {
    return findSite(host, this.#o.cards, this.#o.sites)?.origin ?? null;
  }

  async sessions(): Promise<SessionView[]> {
    return listSessions(this.ledger);
  }

  /**
   * Resolves when everything pulled has ended and its reports are delivered. What waits for a person has ended too: see
   * `status().needsPerson`.
   * @throws DeadlineError
   */
  async idle(deadlineMs: number): Promise<void> {
    const { clock } = this.#o;
    const until = clock.monotonic() + deadlineMs;
    while (!(await this.#isIdle())) {
      if (clock.monotonic() >= until)
        throw new DeadlineError(
          `the farm still has work after ${Math.round(deadlineMs / 1000)} s: ${this.status().waits.join("; ") || `${this.#dispatcher.runs.size} tasks are running`}`,
        );
      await clock.sleep(100);
    }
  }

  async #isIdle(): Promise<boolean> {
    if (this.#puller.answered === 0 || this.#dispatcher.runs.size > 0) return false;
    await this.#look();
    const open = this.#view.held.filter((task) => task.state !== "needs_person" && !this.#dispatcher.rehearsed.has(task.id));
    return open.length === 0 && this.#view.outbox.pending === 0;
  }

  status(): FarmStatus {
    const { clock, source, instance } = this.#o;
    const { held, counts, outbox, persons } = this.#view;
    const { waits, keyRefused } = this.#puller;
    return {
      instance,
      source: source?.name ?? null,
      draining: this.#dispatcher.draining,
      running: [...this.#dispatcher.runs.values()].map(runningTask),
      tasks: counts,
      checks: countChecks(held),
      waits: [
        ...(source && this.#o.concurrency === 0 ? ["CONCURRENCY is 0: nothing is pulled"] : []),
        ...(keyRefused ? [sayFailure({ code: "manager.refused", detail: keyRefused })] : []),
        ...(source && waits && waits.until > clock.now() ? [sayWait(waits.why, waits.until, clock.now())] : []),
        ...(this.#dispatcher.waits ? [this.#dispatcher.waits] : []),
        ...sayTaskWaits(held),
      ],
      outbox: outboxStatus(outbox),
      needsPerson: persons,
    };
  }

  /** `status()` with rows as they are now. */
  async freshStatus(): Promise<FarmStatus> {
    await this.#look();
    return this.status();
  }

  async #look(): Promise<void> {
    const held = await this.ledger.held(this.#source.name);
    const persons = await this.ledger.forPersons(this.#source.name);
    const stopped = await this.ledger.stoppedAccounts(this.#source.name);
    this.#view = {
      held,
      counts: await this.ledger.countByState(this.#source.name),
      outbox: await countOutbox(this.ledger.db, this.#source.name),
      persons: [
        // A task that is held for the same reason says so itself.
        ...stopped
          .filter(({ task, failure }) => !persons.some((one) => one.task.id === task.id && one.task.failure?.code === failure.code))
          .map(({ task, failure }) => stoppedAccount(task, failure)),
        ...persons.flatMap(({ task, episodes }) => waitingPersons(task, episodes)),
      ],
    };
  }

  /** A driver's card before a run begins; a changed one takes the place of the old. */
  async #fresh(card: DriverCard): Promise<DriverCard> {
    const fresh = (await this.#o.freshCard?.(card)) ?? card;
    if (fresh === card) return card;
    await makeSlots(this.ledger.db, fresh.site, fresh.concurrency);
    this.#cards = this.#cards.map((one) => (one.site === fresh.site ? fresh : one));
    return fresh;
  }

  async #sweep(): Promise<number> {
    const released = await this.ledger.episodes.releaseExpired();
    if (released > 0) this.#o.log.warn(`${released} claims were released: their holders gave no sign of life`);
    return Math.min(SWEEP_MS, this.#o.leaseMs / 2);
  }

  async #forget(): Promise<number> {
    await forgetOld(this.ledger.db, this.ledger.now());
    await this.#o.tidy?.();
    return FORGET_MS;
  }

  #ring(): void {
    for (const bell of Object.values(this.#bells)) bell.ring();
  }

  #delivered(row: FarmEvents["reported"][0]): void {
    // The view is not made anew for each report: its queries cost more than the report's own.
    this.events.emit("reported", row);
  }

  #startRefused(taskId: string, why: string): void {
    this.#o.log.info(`given up before it began: ${why}`, { task: taskId });
    this.#ring();
  }

  #lost(taskId: string, why: string): void {
    this.#dispatcher.runs.get(taskId)?.end({ kind: "canceled", failure: { code: "task.canceled", detail: why } });
  }

  #keyRefused(why: string | null): void {
    if (why) this.#puller.refuseKey(why);
    else this.#puller.keyRefused = null;
  }
}
