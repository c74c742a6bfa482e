import type { Report } from "../contract/worker-api.ts";
import type { Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import type { Queue } from "../store/queue.ts";
import type { Vault } from "../store/vault.ts";
import { Bell } from "./bell.ts";
import { CheckPuller } from "./check-puller.ts";
import { keepAlive } from "./keep-alive.ts";
import type { Ledger } from "./ledger.ts";
import { countOutbox, Outbox } from "./outbox.ts";
import type { DiskProbe, Random } from "./ports.ts";
import { Puller } from "./puller.ts";
import type { Site } from "./sites.ts";
import type { Source } from "./source.ts";

export interface SupplyOptions {
  source: Source;
  /** Names of all sources of the farm. */
  sources: readonly string[];
  ledger: Ledger;
  vault: Vault;
  queue: Queue;
  clock: Clock;
  random: Random;
  log: Log;
  disk: DiskProbe;
  concurrency: number;
  pollMs: number;
  findSite(domain: string): Site | null;
  servedHosts(): string[];
  importingHosts(): string[];
  /** Tasks of all sources that run in this process, and the checks among them. */
  running(): number;
  runningChecks(): number;
  /** Something has changed that others wait for. */
  ring(): void;
  onDelivered(row: { taskId: string; report: Report }): void;
  onStarted(): void;
  /** A task at work is nobody's any more, or somebody else's: it has to stop. */
  onLost(taskId: string, why: string): void;
}

export interface Turn {
  name: string;
  bell: Bell;
  /** "new": ends when the farm drains; "rest": when it ends. */
  until: "new" | "rest";
  turn: () => Promise<number>;
}

/**
 * One source with what brings its tasks, keeps them ours and reports to it. A farm has one for each; they share the ledger, the
 * queue and the places, and none sees a task or a report of another's: a source that is down or refuses us holds up its own only.
 */
export class Supply {
  readonly source: Source;
  readonly #o: SupplyOptions;
  readonly #puller: Puller;
  readonly #checks: CheckPuller;
  readonly #outbox: Outbox;
  readonly #bells = { pull: new Bell(), outbox: new Bell() };

  constructor(options: SupplyOptions) {
    this.#o = options;
    this.source = options.source;
    const { source, sources, ledger, vault, queue, clock, random, log, disk, concurrency, pollMs } = options;
    const { findSite, servedHosts, importingHosts } = options;
    this.#checks = new CheckPuller({
      source,
      sources,
      ledger,
      clock,
      log,
      concurrency,
      findSite,
      servedHosts,
      running: () => options.runningChecks(),
      onChange: () => options.ring(),
      onLost: (id, why) => options.onLost(id, why),
    });
    this.#puller = new Puller({
      source,
      ledger,
      clock,
      random,
      log,
      disk,
      concurrency,
      pollMs,
      findSite,
      servedHosts,
      importingHosts,
      running: () => options.running(),
      onAdmitted: () => options.ring(),
      onSpare: (spare) => this.#checks.ask(spare),
    });
    this.#outbox = new Outbox({
      db: ledger.db,
      vault,
      queue,
      source,
      clock,
      random,
      log,
      onDelivered: (row) => options.onDelivered(row),
      onStarted: () => options.onStarted(),
      onStartRefused: (taskId, why) => this.#startRefused(taskId, why),
      onRefused: (why) => this.#keyRefused(why),
    });
  }

  /** At a start on a folder that is ours alone. */
  async recover(): Promise<void> {
    await this.#outbox.recover();
  }

  turns(): Turn[] {
    const { ledger, log, ring, onLost } = this.#o;
    const { source } = this;
    const of = (name: string): string => `${name} of ${source.name}`;
    return [
      { name: of("pull"), bell: this.#bells.pull, until: "new", turn: async () => this.#puller.turn() },
      { name: of("outbox"), bell: this.#bells.outbox, until: "rest", turn: async () => this.#outbox.turn() },
      {
        name: of("keep-alive"),
        bell: new Bell(),
        until: "rest",
        turn: async () => keepAlive({ ledger, source, log, onCanceled: () => ring(), onLost: (id, why) => onLost(id, why) }),
      },
      { name: of("checks"), bell: new Bell(), until: "rest", turn: async () => this.#checks.renew() },
    ];
  }

  ring(): void {
    for (const bell of Object.values(this.#bells)) bell.ring();
  }

  ringOutbox(): void {
    this.#bells.outbox.ring();
  }

  /** It has been asked, and has answered. */
  get answered(): boolean {
    return this.#puller.answered > 0;
  }

  /** Why the source keeps us waiting, with the time until which it does; null: it does not. */
  get waits(): { why: string; until: number } | null {
    // Nothing of one's own to do is no news.
    return this.source.unleased && this.#puller.waits?.isIdle ? null : this.#puller.waits;
  }

  /** Why the source refuses our key, or null. */
  get keyRefused(): string | null {
    return this.#puller.keyRefused;
  }

  /** Whether reports wait that could be delivered. */
  async hasReports(): Promise<boolean> {
    return !this.keyRefused && (await countOutbox(this.#o.ledger.db, [this.source.name])).pending > 0;
  }

  async stop(withinMs: number): Promise<void> {
    await this.#checks.stop(withinMs);
  }

  #startRefused(taskId: string, why: string): void {
    this.#o.log.info(`given up before it began: ${why}`, { task: taskId });
    this.#o.ring();
  }

  #keyRefused(why: string | null): void {
    if (why) this.#puller.refuseKey(why);
    else this.#puller.keyRefused = null;
  }
}
