import { sayFailure, type FailureCode } from "../contract/failures.ts";
import type { WorkerTask } from "../contract/worker-api.ts";
import type { Clock } from "../kit/clock.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import type { Log } from "../kit/log.ts";
import { checksAtOnce, checksHeldOfSite, checkTaskId, isCheck, MOST_CHECKS_HELD, MOVED } from "./checks.ts";
import type { Ledger } from "./ledger.ts";
import type { Site } from "./sites.ts";
import type { Source } from "./source.ts";
import type { TaskRow } from "./tables.ts";

/** Sites of so many of the rows, or more. */
function sitesOf(rows: readonly TaskRow[], share: number): string[] {
  const counts = new Map<string, number>();
  for (const { site } of rows) counts.set(site, (counts.get(site) ?? 0) + 1);
  return [...counts].filter(([, count]) => count >= share).map(([site]) => site);
}

export interface CheckPullerOptions {
  source: Source;
  /** Names of all that this farm works for: what they post goes first. */
  sources: readonly string[];
  ledger: Ledger;
  clock: Clock;
  log: Log;
  /** Places of this farm. */
  concurrency: number;
  /** Checks that run in this process. */
  running(): number;
  findSite(domain: string): Site | null;
  servedHosts(): string[];
  /** There is something to start, or to report no more. */
  onChange(): void;
  /** A check that is at work is nobody's any more, or somebody else's: it has to stop. */
  onLost(taskId: string, why: string): void;
}

const NOT_NOW_MS = 60_000;
const REFUSED_MS = 10 * 60_000;
/** The manager's lease lasts 15 minutes. */
const RENEWED_MS = 5 * 60_000;
/** After which the lease of what we don't ask for has run out. */
const LET_GO_MS = 20 * 60_000;
const LOST = "the manager no longer has it for us";

/**
 * Brings checks in, and keeps those that we hold ours: the pull that asks for more shows them again, and renews them. A manager
 * that has none, or none now, is no reason to worry.
 */
export class CheckPuller {
  readonly #o: CheckPullerOptions;
  #silentUntil = 0;
  /** Held by us and not shown at the last pull: another farm of ours may have asked at the same moment. */
  #missing: ReadonlySet<string> = new Set();
  /** One exchange at a time: nobody waits for it but the farm's end. */
  #busy: Promise<void> | null = null;
  #over = false;

  constructor(options: CheckPullerOptions) {
    this.#o = options;
  }

  /** @param spare places that posting work has no use for now */
  ask(spare: number): void {
    this.#alone(async () => this.#ask(spare));
  }

  /** Those that we hold and have no time for stay ours. @returns how long to rest, ms */
  renew(): number {
    this.#alone(async () => this.#renew());
    return NOT_NOW_MS;
  }

  /** Nothing more is asked for; an answer that comes after that is left, and its leases run out. */
  async stop(withinMs: number): Promise<void> {
    this.#over = true;
    if (!this.#busy) return;
    const early = new AbortController();
    await Promise.race([this.#busy.finally(() => early.abort()), this.#o.clock.sleep(withinMs, early.signal)]);
  }

  #alone(work: () => Promise<void>): void {
    if (this.#busy || this.#over) return;
    this.#busy = work()
      .catch((error: unknown) => this.#o.log.error(`checks: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => (this.#busy = null));
  }

  async #ask(spare: number): Promise<void> {
    if (!this.#mayAsk()) return;
    const { ledger, sources, concurrency, running } = this.#o;
    const held = await this.#held();
    const now = ledger.now();
    const soon = held.filter(({ state, not_before }) => state === "waiting" && !(not_before && not_before > now));
    const wanted = Math.min(spare, checksAtOnce(concurrency) - running() - soon.length, MOST_CHECKS_HELD - held.length);
    if (wanted <= 0) return;
    // Posting is first at its site; and a site that has its share brings no more until some of it is done.
    const full = sitesOf(held, checksHeldOfSite(concurrency));
    await this.#pull(held, wanted, new Set([...(await ledger.sitesToPost(sources)), ...full]));
  }

  async #renew(): Promise<void> {
    if (!this.#mayAsk()) return;
    const held = await this.#held();
    const before = this.#o.ledger.now().getTime() - RENEWED_MS;
    if (held.some(({ renewed_at: at }) => !at || at.getTime() <= before)) await this.#pull(held, 0, new Set());
  }

  #mayAsk(): boolean {
    const { source, clock } = this.#o;
    return source.pullChecks !== undefined && !source.once && clock.now() >= this.#silentUntil;
  }

  /** Of the sites that this farm drives: others on its database may drive more, and are shown more. */
  async #held(): Promise<TaskRow[]> {
    const { ledger, source, findSite } = this.#o;
    return (await ledger.held([source.name])).filter(({ data, host }) => isCheck(data) && findSite(host) !== null);
  }

  /** @param busy sites of which nothing is asked for */
  async #pull(all: readonly TaskRow[], wanted: number, busy: ReadonlySet<string>): Promise<void> {
    const { source, ledger, clock, log, findSite, servedHosts } = this.#o;
    const gone = await ledger.checksGivenUp(source.name, new Date(ledger.now().getTime() - LET_GO_MS));
    // Shown to us, what was given up in trouble would stay ours.
    const troubled = gone.filter(({ failure }) => failure?.code !== "task.canceled").map(({ site }) => site);
    const besides = new Set([...busy, ...troubled]);
    const hosts = servedHosts().filter((host) => !besides.has(findSite(host)?.card.site ?? ""));
    if (hosts.length === 0) return;
    const held = all.filter(({ site }) => !besides.has(site));
    const reporting = await ledger.checksToReport(source.name, besides);
    // Shown once more before they are admitted anew.
    const moved = gone.filter(({ failure }) => failure?.detail === MOVED).length;
    const answer = await source.pullChecks?.(held.length + reporting + moved + wanted, hosts);
    if (this.#over) return;
    if (answer?.kind !== "tasks") {
      const restMs = answer?.kind === "again" ? (answer.retryAfterMs ?? NOT_NOW_MS) : REFUSED_MS;
      this.#silentUntil = clock.now() + restMs;
      log.debug(`no checks for ${Math.round(restMs / 1000)} s: ${answer?.why}`);
      return;
    }
    if (answer.tasks.length > 0) crashpoint("pulled");
    for (const check of answer.tasks) await this.#admit(check);
    for (const { id, why } of answer.broken) {
      if (id === null) log.error(`the source handed out something that is no check: ${why}`);
      else await this.#refuse(checkTaskId(id), "content.refused", `the check can't be read: ${why}`);
    }
    const shown = new Set(answer.tasks.map(({ id }) => id));
    await ledger.renewChecks([...shown]);
    await this.#letGo(held.filter(({ id }) => !shown.has(id)).map(({ id }) => id));
  }

  async #admit(check: WorkerTask): Promise<void> {
    const { ledger, source, log, findSite, onChange } = this.#o;
    const site = findSite(check.domain);
    if (!site) {
      await this.#refuse(check.id, "site.unsupported", `no driver for ${check.domain}`);
      return;
    }
    const admission = await ledger.admitCheck(check, site, source.name);
    if (admission !== "new" && admission !== "again") return;
    crashpoint("admitted");
    log.info(`pulled a check (${admission})`, { task: check.id, site: site.card.site });
    onChange();
  }

  /** Told at once, not by the outbox: if the word is lost, the next pull brings the same check. */
  async #refuse(taskId: string, code: FailureCode, detail: string): Promise<void> {
    this.#o.log.warn(`refused: ${detail}`, { task: taskId });
    await this.#o.source.deliver(taskId, { kind: "check", ok: false, error_message: sayFailure({ code, detail }) });
  }

  async #letGo(missing: readonly string[]): Promise<void> {
    const { ledger, log, onChange, onLost } = this.#o;
    for (const id of missing.filter((one) => this.#missing.has(one))) {
      if (await ledger.cancel(id, LOST)) {
        log.info(`given up: ${LOST}`, { task: id });
        onChange();
      } else onLost(id, LOST);
    }
    this.#missing = new Set(missing);
  }
}
