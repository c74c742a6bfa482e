import { sayFailure, type FailureCode } from "../contract/failures.ts";
import type { WorkerTask } from "../contract/worker-api.ts";
import type { Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { backoffMs, jitterMs } from "./backoff.ts";
import { isCheck } from "./checks.ts";
import { isImport, withFeedAsWork } from "./imports.ts";
import type { Ledger } from "./ledger.ts";
import type { DiskProbe, Random } from "./ports.ts";
import type { Site } from "./sites.ts";
import { mayBring, type Source } from "./source.ts";
import type { TaskRow } from "./tables.ts";

export interface PullerOptions {
  source: Source;
  ledger: Ledger;
  clock: Clock;
  random: Random;
  log: Log;
  disk: DiskProbe;
  /** Tasks at a time; 0: nothing is pulled. */
  concurrency: number;
  /** Tasks that run in this process. */
  running(): number;
  pollMs: number;
  findSite(domain: string): Site | null;
  servedHosts(): string[];
  /** Those that can take over a show by its feed. */
  importingHosts(): string[];
  /** New rows stand in the outbox. */
  onAdmitted(): void;
  /** Nothing to post is left to be had: there is room for checks. Not waited for. @param spare places */
  onSpare(spare: number): void;
}

type Kind = "episodes" | "imports";

/** Where a manager's lease is renewed by any call of ours, its own pull shows us what we hold: those count on top. */
const REFUSED_KEY_MS = 5 * 60_000;
const DISK_MS = 10_000;
const UNTIL_RUNG_MS = 60_000;
const IMPORTS_REST_MS = 60_000;

/** Brings tasks in: no more than can start soon, and never faster than the source wants. */
export class Puller {
  readonly #o: PullerOptions;
  #failures = 0;
  /** Nothing more can come. */
  #dry = false;
  /** Pulls that were answered, ever. */
  answered = 0;
  /** One sentence while the source keeps us waiting, else null. */
  waits: { why: string; until: number; /** Nothing is wrong. */ isIdle: boolean } | null = null;
  /** Why the source refuses our key; nothing is pulled then. */
  keyRefused: string | null = null;
  #refusedUntil = 0;
  /** Until when the source is not asked for tasks, whoever rings. Monotonic. */
  #restsUntil = 0;
  /** Neither kind of work may starve the other: they are asked for in turn. */
  #importsFirst = true;
  /** A manager that knows no such tasks is not asked for them all the time. */
  #noImportsUntil = 0;

  constructor(options: PullerOptions) {
    this.#o = options;
  }

  /** The key is refused: said once, and asked again every few minutes, since such a word can be a mistake. */
  refuseKey(why: string): void {
    const { log, clock } = this.#o;
    if (!this.keyRefused) log.error(sayFailure({ code: "manager.refused", detail: why }));
    this.keyRefused = why;
    this.#refusedUntil = clock.now() + REFUSED_KEY_MS;
  }

  /** One pull. @returns how long to rest, ms */
  async turn(): Promise<number> {
    const { concurrency, disk, clock } = this.#o;
    if (this.#dry || concurrency === 0) return UNTIL_RUNG_MS;
    if (this.keyRefused && clock.now() < this.#refusedUntil) return this.#refusedUntil - clock.now();
    if (clock.monotonic() < this.#restsUntil) return this.#restsUntil - clock.monotonic();
    const problem = await disk();
    if (problem) return this.#wait(problem, DISK_MS);
    const { free, held } = await this.#room();
    // Other farms on this database may take what waits, and nobody rings for that.
    if (free <= 0)
      return this.#o.source.unleased || this.#o.running() < concurrency ? jitterMs(this.#o.pollMs, this.#o.random) : UNTIL_RUNG_MS;
    const kinds = this.#kinds();
    let fresh = 0;
    for (const kind of kinds) {
      if (fresh >= free) break;
      const got = await this.#ask(kind, free - fresh + held);
      if ("restMs" in got) return got.restMs;
      fresh += got.fresh;
    }
    this.answered += 1;
    if (this.#o.source.once) this.#dry = true;
    this.waits = null;
    if (fresh > 0) return 0;
    this.#o.onSpare(free);
    const restMs = jitterMs(this.#o.pollMs, this.#o.random);
    this.waits = { why: "nothing new at the source", until: clock.now() + restMs, isIdle: true };
    return restMs;
  }

  /** What to ask for, in this order. */
  #kinds(): Kind[] {
    const { source, importingHosts, clock } = this.#o;
    if (!source.pullImports || importingHosts().length === 0 || clock.now() < this.#noImportsUntil) return ["episodes"];
    this.#importsFirst = !this.#importsFirst;
    return this.#importsFirst ? ["imports", "episodes"] : ["episodes", "imports"];
  }

  async #ask(kind: Kind, limit: number): Promise<{ fresh: number } | { restMs: number }> {
    const { source, servedHosts, importingHosts, random, clock, log } = this.#o;
    const refusedBefore = this.keyRefused;
    const most = source.once ? Number.MAX_SAFE_INTEGER : limit;
    const answer =
      kind === "imports" && source.pullImports ? await source.pullImports(most, importingHosts()) : await source.pull(most, servedHosts());
    switch (answer.kind) {
      case "again":
        if (kind === "imports") {
          // Whatever is wrong there must not hold up the episodes; what is wrong with all, their pull will say.
          this.#noImportsUntil = clock.now() + (answer.retryAfterMs ?? IMPORTS_REST_MS);
          log.debug(`no feeds to import for a while: ${answer.why}`);
          return { fresh: 0 };
        }
        if (answer.retryAfterMs !== null && answer.retryAfterMs !== undefined)
          return { restMs: this.#rest(answer.why, answer.retryAfterMs) };
        return { restMs: this.#wait(answer.why, backoffMs(this.#failures++, random)) };
      case "refused":
        this.refuseKey(answer.why);
        return { restMs: this.#wait(answer.why, REFUSED_KEY_MS) };
      case "tasks": {
        this.#failures = 0;
        if (answer.tasks.length > 0) crashpoint("pulled");
        // A refusal that the outbox met meanwhile is newer than this answer.
        if (refusedBefore) this.keyRefused = null;
        const fresh = await this.#admitAll(answer.tasks);
        for (const broken of answer.broken) await this.#reportBroken(broken.id, broken.why);
        return { fresh };
      }
    }
  }

  /** How many more can start soon, and how many we hold already. What others run, or a dead farm ran, takes none of our room. */
  async #room(): Promise<{ free: number; held: number }> {
    const { ledger, source, concurrency, running, findSite } = this.#o;
    // Checks make way, and are asked for elsewhere.
    const held = (await ledger.held([source.name])).filter(({ data }) => !isCheck(data));
    const isDue = (task: TaskRow): boolean => !(task.not_before && task.not_before > ledger.now());
    // What no driver here serves starts at another farm, or never.
    const soon = held.filter((task) => task.state === "waiting" && isDue(task) && findSite(task.host) !== null);
    // What nobody else could do meanwhile need not wait at its source.
    return { free: concurrency - (source.unleased ? 0 : running()) - soon.length, held: held.length };
  }

  /** The source asked to be left alone for so long. */
  #rest(why: string, restMs: number): number {
    this.#restsUntil = this.#o.clock.monotonic() + restMs;
    return this.#wait(why, restMs);
  }

  #wait(why: string, restMs: number): number {
    const { clock, log } = this.#o;
    if (this.waits?.why !== why) log.warn(`pulling waits ${Math.round(restMs / 1000)} s: ${why}`);
    this.waits = { why, until: clock.now() + restMs, isIdle: false };
    return restMs;
  }

  /** @returns how many were new or opened again */
  async #admitAll(tasks: readonly WorkerTask[]): Promise<number> {
    let fresh = 0;
    for (const task of tasks) {
      const admission = await this.#admit(task);
      if (admission === "fresh") fresh += 1;
    }
    return fresh;
  }

  async #admit(given: WorkerTask): Promise<"fresh" | "known"> {
    const { ledger, source, log, findSite, onAdmitted } = this.#o;
    if (!mayBring(source.name, given.id))
      return this.#refuse(given.id, "content.refused", `a task can't be called ${given.id.slice(0, 50)}: such ids are the farm's own`);
    const site = findSite(given.domain);
    if (!site) return this.#refuse(given.id, "site.unsupported", `no driver for ${given.domain}`);
    if (isImport(given) && !site.card.imports)
      return this.#refuse(given.id, "site.unsupported", `the driver ${site.card.site} can't take over a show by its feed`);
    const task = isImport(given) ? withFeedAsWork(given) : given;
    if (!task) return this.#refuse(given.id, "content.empty", "the task names no feed to import");
    if (task.data_content.length === 0) return this.#refuse(task.id, "content.empty", "the task has no episodes");
    const ids = new Set(task.data_content.map((episode) => episode.id));
    if (ids.size < task.data_content.length) return this.#refuse(task.id, "content.refused", "two episodes of the task carry the same id");
    const admission = await ledger.admit(task, site, source.name);
    if (admission === "known" || admission === "reporting") return "known";
    if (admission === "another-account")
      return this.#refuse(task.id, "content.refused", "this id is another account's task: give it an id of its own");
    crashpoint("admitted");
    log.info(`pulled (${admission})`, {
      task: task.id,
      site: site.card.site,
      ...(isImport(task) ? { feed: [...ids].join() } : { episodes: ids.size }),
    });
    onAdmitted();
    return admission === "reported-again" ? "known" : "fresh";
  }

  async #reportBroken(id: string | null, why: string): Promise<void> {
    if (id === null) this.#o.log.error(`the source handed out something that is no task: ${why}`);
    else await this.#refuse(id, "content.refused", `the task can't be read: ${why}`);
  }

  /** Told at once, not by the outbox: if the word is lost, the next pull brings the same task. */
  async #refuse(taskId: string, code: FailureCode, detail: string): Promise<"known"> {
    const { source, log } = this.#o;
    log.warn(`refused: ${detail}`, { task: taskId });
    // A source without leases hands out only what was not started: after a start alone the task would be nobody's.
    if (!source.unleased) await source.deliver(taskId, { kind: "start" });
    await source.deliver(taskId, { kind: "fail", error_message: sayFailure({ code, detail }), code, retry: false });
    return "known";
  }
}
