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
import { Dispatcher } from "./dispatcher.ts";
import type { FarmEvents } from "./events.ts";
import { handOver, takeBack, type HandOver, type handedBack } from "./hand-over.ts";
import { Ledger } from "./ledger.ts";
import { forgetOld } from "./once-only.ts";
import { countOutbox, type OutboxCounts } from "./outbox.ts";
import type { DiskProbe, Preflight, Prepare, Random, WorkerPool } from "./ports.ts";
import { PrepareLane } from "./prepare-lane.ts";
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
import { Supply } from "./supply.ts";
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
  /** Where tasks come from; none: nothing is pulled. */
  sources: readonly Source[];
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
  /** Of the sources, as the ledger knows them. */
  readonly #names: readonly string[];
  readonly #supplies: readonly Supply[];
  readonly #dispatcher: Dispatcher;
  readonly #bells = { dispatch: new Bell(), view: new Bell() };
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
    const sources = options.sources.length > 0 ? options.sources : [noSource];
    this.#names = sources.map(({ name }) => name);
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
    const environment: RunEnvironment = {
      ledger: this.ledger,
      sources,
      pool,
      lane,
      clock,
      log,
      events: this.events,
      disk,
      ...options.work,
    };
    this.#cards = options.cards;
    const site = (domain: string) => findSite(domain, this.#cards, sites);
    const freshSite = async (domain: string) => {
      const known = site(domain);
      return known && { ...known, card: await this.#fresh(known.card) };
    };
    this.#dispatcher = new Dispatcher({ environment, queue, concurrency, random, log, freshSite, onSettled: () => this.#ring() });
    this.#supplies = sources.map(
      (source) =>
        new Supply({
          source,
          sources: this.#names,
          ledger: this.ledger,
          vault,
          queue,
          clock,
          random,
          log,
          disk,
          concurrency,
          pollMs: options.pollMs,
          findSite: site,
          servedHosts: () => servedHosts(this.#cards, sites),
          importingHosts: () => importingHosts(this.#cards, sites),
          running: () => this.#dispatcher.runs.size,
          runningChecks: () => this.#dispatcher.checks,
          ring: () => this.#ring(),
          onDelivered: (row) => this.#delivered(row),
          onStarted: () => this.#bells.dispatch.ring(),
          onLost: (id, why) => this.#lost(id, why),
        }),
    );
  }

  /** Recovers what a dead predecessor left, then starts to work. */
  async start(): Promise<void> {
    const { queue, store, log, clock } = this.#o;
    const sole = store.backend === "pglite";
    // Three signs of life a lease, whatever else they are for.
    const beatMs = Math.min(sole ? SOLE_HEARTBEAT_MS : HEARTBEAT_MS, this.#o.leaseMs / 3);
    for (const card of this.#cards) await makeSlots(this.ledger.db, card.site, card.concurrency);
    await this.ledger.nameStops((host) => findSite(host, this.#cards, this.#o.sites)?.card);
    await recover({ ledger: this.ledger, queue, sources: this.#names, sole, log });
    if (sole) for (const supply of this.#supplies) await supply.recover();
    await this.#look();
    const limbo = new LimboWatch({ ledger: this.ledger, queue, sources: this.#names, log });
    const { dispatch, view } = this.#bells;
    const until = this.#running.signal;
    const turns: { name: string; bell: Bell; signal: AbortSignal; turn: () => Promise<number> }[] = [
      ...this.#supplies
        .flatMap((supply) => supply.turns())
        .map((one) => ({ ...one, signal: one.until === "new" ? this.#pulling.signal : until })),
      { name: "dispatch", bell: dispatch, signal: this.#pulling.signal, turn: async () => this.#dispatcher.turn() },
      {
        name: "heartbeat",
        bell: new Bell(),
        signal: until,
        turn: async () => this.#dispatcher.heartbeat(beatMs),
      },
      { name: "sweep", bell: new Bell(), signal: until, turn: async () => this.#sweep() },
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
    while (this.#loops.length > 0 && clock.monotonic() < until && (await this.#hasReports())) {
      for (const supply of this.#supplies) supply.ringOutbox();
      await clock.sleep(50);
    }
    this.#running.abort();
    await Promise.all([...this.#loops, ...this.#supplies.map(async (supply) => supply.stop(LAST_REPORTS_MS))]);
  }

  async #hasReports(): Promise<boolean> {
    for (const supply of this.#supplies) if (await supply.hasReports()) return true;
    return false;
  }

  /** Something new stands at a source of this process: it is asked now. */
  wake(): void {
    this.#ring();
  }

  /**
   * The source has taken a task away and would not be asked about it for a while: what waits ends, what runs here is stopped by
   * the ladder. One whose outcome is unknown is looked up all the same; one that runs in another process stops there by itself.
   */
  async cancel(taskId: string, why: string): Promise<void> {
    if (!(await this.ledger.cancel(taskId, why))) {
      const run = this.#dispatcher.runs.get(taskId);
      this.#lost(taskId, why);
      await run?.cancel(why);
    }
    this.#ring();
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
    if (this.#supplies.some(({ answered }) => !answered) || this.#dispatcher.runs.size > 0) return false;
    await this.#look();
    const open = this.#view.held.filter((task) => task.state !== "needs_person" && !this.#dispatcher.rehearsed.has(task.id));
    return open.length === 0 && this.#view.outbox.pending === 0;
  }

  status(): FarmStatus {
    const { clock, sources, instance } = this.#o;
    const { held, counts, outbox, persons } = this.#view;
    const waits = this.#supplies.flatMap(({ keyRefused, waits: one }) => [
      ...(keyRefused ? [sayFailure({ code: "manager.refused" as const, detail: keyRefused })] : []),
      ...(one && one.until > clock.now() ? [sayWait(one.why, one.until, clock.now())] : []),
    ]);
    return {
      instance,
      source: sources[0]?.name ?? null,
      sources: sources.map(({ name }) => name),
      draining: this.#dispatcher.draining,
      running: [...this.#dispatcher.runs.values()].map(runningTask),
      tasks: counts,
      checks: countChecks(held),
      waits: [
        ...(sources.length > 0 && this.#o.concurrency === 0 ? ["CONCURRENCY is 0: nothing is pulled"] : []),
        ...(sources.length > 0 ? waits : []),
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
    const held = await this.ledger.held(this.#names);
    const persons = await this.ledger.forPersons(this.#names);
    const stopped = await this.ledger.stoppedAccounts(this.#names);
    this.#view = {
      held,
      counts: await this.ledger.countByState(this.#names),
      outbox: await countOutbox(this.ledger.db, this.#names),
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
    for (const supply of this.#supplies) supply.ring();
  }

  #delivered(row: FarmEvents["reported"][0]): void {
    // The view is not made anew for each report: its queries cost more than the report's own.
    this.events.emit("reported", row);
  }

  #lost(taskId: string, why: string): void {
    this.#dispatcher.runs.get(taskId)?.end({ kind: "canceled", failure: { code: "task.canceled", detail: why } });
  }
}
