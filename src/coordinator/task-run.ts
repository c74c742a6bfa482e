import type { EventEmitter } from "node:events";
import { failures, toFailureData, type FailureData } from "../contract/failures.ts";
import { isCanceledStatus } from "../contract/states.ts";
import {
  assignmentResult,
  type Assignment,
  type AssignmentResult,
  type BrowserSettings,
  type CoordinatorCalls,
  type Credentials,
  type DriverCard,
  type EpisodeRef,
  type MailboxCredentials,
  type MailboxOf,
} from "../contract/task.ts";
import { workerTask, type WorkerTask } from "../contract/worker-api.ts";
import type { Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import { namedServer, type ImapServers } from "../kit/mail-server.ts";
import { pinSecrets, redact } from "../kit/redact.ts";
import type { Job } from "../store/queue.ts";
import type { Ending } from "./decide.ts";
import type { EpisodeKey } from "./episodes.ts";
import type { FarmEvents } from "./events.ts";
import { isCheck } from "./checks.ts";
import { isImport } from "./imports.ts";
import type { Ledger } from "./ledger.ts";
import { loginOf, sessionProves } from "./login.ts";
import type { DiskProbe, RunningAssignment, WorkerPool } from "./ports.ts";
import type { PrepareLane } from "./prepare-lane.ts";
import type { SignInAnswer } from "./sign-in-guard.ts";
import type { Site } from "./sites.ts";
import type { Source } from "./source.ts";
import type { TaskRow } from "./tables.ts";

/** What every run of a farm shares. */
export interface RunEnvironment {
  ledger: Ledger;
  /** All that the farm works for; a task is its own source's. */
  sources: readonly Source[];
  pool: WorkerPool;
  lane: PrepareLane;
  clock: Clock;
  log: Log;
  events: EventEmitter<FarmEvents>;
  disk: DiskProbe;
  browser: BrowserSettings;
  /** Of all mailboxes; null: the usual one of each address. */
  imap: Assignment["imap"];
  /** Before that one, by mail domain or address. */
  imapServers?: ImapServers;
  locale: string;
  timeZone: string;
  stepTimeoutMs: number;
  /** Overrides the drivers'. */
  settleMs: number | null;
  /** May an episode that an unknown click left absent be posted again? */
  repost: "after-look" | "never";
  mode: Assignment["mode"];
  /** One folder a task below it. */
  evidenceDir: string;
}

/** The source may be silent this long before a run stops: its lease there could run out (15 min). */
const SILENCE_MS = 10 * 60_000;
/** From the request to stop to the end of the thread. The worker closes the context after 5 s itself. */
const CANCEL_MS = 10_000;
/** From the arm to the request. */
const GATE_MS = 2000;

export type Standing = { kind: "ours" } | { kind: "canceled"; why: string } | { kind: "silent"; why: string };

/** One task in a worker's hands, from its claim to its settlement. */
export class TaskRun {
  readonly environment: RunEnvironment;
  readonly task: TaskRow;
  readonly site: Site;
  readonly job: Job;
  readonly source: Source;
  readonly log: Log;
  readonly content: WorkerTask;
  readonly credentials: Credentials;
  /** A feed is to be imported, and no episode posted. */
  readonly isImport: boolean;
  /** A sign-in is to be tried, and nothing posted. */
  readonly isCheck: boolean;
  position = 0;
  step = "start";
  detail = "";
  since: number;
  /** Set when the end is decided here and not by the worker. */
  ending: Ending | null = null;
  /** The farm drains: no further episode. */
  draining = false;
  /** The last submit of credentials, as it stands on disk. */
  submitId: number | null = null;
  /** The account has a session that may be alive, and this run was not given it. */
  withheld = false;
  /** Why the last sign-in was not allowed. */
  signInRefusal: Extract<SignInAnswer, { allowed: false }> | null = null;
  /** Episodes of which this run sent nothing although it tried, with how often. */
  readonly unsent = new Map<string, number>();
  /** How often somebody else had a newer claim when this run was about to click. */
  lostFences = 0;
  /** Episodes whose left-over drafts this run was asked to take away. */
  readonly swept = new Set<string>();
  /** Episodes whose copies this run was asked to count. */
  readonly counted = new Set<string>();
  /** Call when it is over: until then the account's secrets are masked in logs, however many others are given. */
  readonly unpinSecrets: () => void;
  #heardAt: number;
  #running: RunningAssignment | null = null;

  constructor(environment: RunEnvironment, task: TaskRow, site: Site, job: Job, source: Source) {
    this.environment = environment;
    this.task = task;
    this.site = site;
    this.job = job;
    this.source = source;
    this.content = workerTask.parse(task.data);
    this.isImport = isImport(this.content);
    this.isCheck = isCheck(this.content);
    this.credentials = environment.ledger.credentials(task);
    this.log = environment.log.child({ task: task.id, account: task.account_name, site: site.card.site });
    this.since = environment.clock.now();
    // What waited here for long may have been handed to somebody else meanwhile.
    const quietMs = task.renewed_at ? Math.max(0, environment.clock.now() - task.renewed_at.getTime()) : 0;
    this.#heardAt = environment.clock.monotonic() - quietMs;
    const { password, passMail, appPassword, apiToken, twofa, cookie } = this.credentials;
    this.unpinSecrets = pinSecrets(password, passMail, appPassword, apiToken, twofa, cookie);
  }

  get card(): DriverCard {
    return this.site.card;
  }

  get kind(): Assignment["kind"] {
    if (this.isCheck) return "check";
    return this.isImport ? "import" : "post";
  }

  /** How an unknown outcome can be cleared up. Whoever imports a feed can tell what was imported. */
  get tier(): DriverCard["tier"] {
    return this.isImport ? "list" : this.card.tier;
  }

  keyOf({ episodeId }: Pick<EpisodeRef, "episodeId">): EpisodeKey {
    return { accountKey: this.task.account_key, episodeId };
  }

  /** Where the account's mailbox is read, as far as it was said. */
  get mailServer(): Assignment["imap"] {
    return this.#serverOf(this.credentials.email);
  }

  /** Each address at its own server: nobody else is shown its password. */
  #serverOf(email: string): Assignment["imap"] {
    const { imap, imapServers = {} } = this.environment;
    return namedServer(email, imapServers) ?? imap;
  }

  /** A mailbox that this task may open, and where. null: there is none. */
  mailbox(whose: MailboxOf): { account: MailboxCredentials; server: Assignment["imap"] } | null {
    if (whose === "account") return { account: this.credentials, server: this.mailServer };
    const account = this.isImport ? this.environment.ledger.feedMailbox(this.task) : null;
    return account && { account, server: this.#serverOf(account.email) };
  }

  get total(): number {
    return this.task.episode_ids.length;
  }

  get settleMs(): number {
    const { settleMs, stepTimeoutMs } = this.environment;
    // A request that is under way may be answered, and handled, up to its deadline: before that no look means anything.
    return settleMs ?? Math.max(this.card.settleMs, GATE_MS + stepTimeoutMs);
  }

  say(step: string, detail = ""): void {
    this.step = step;
    this.detail = detail;
    this.since = this.environment.clock.now();
    this.environment.events.emit("step", { taskId: this.task.id, position: this.position, total: this.total, step, detail });
  }

  /** Runs it in a worker, which talks to us by `calls`. @returns how it ended; never throws */
  async toItsEnd(calls: CoordinatorCalls): Promise<Ending> {
    const { pool, ledger, lane } = this.environment;
    try {
      const given = await this.#assignment(await ledger.sessions.load(this.task.account_key));
      const isProof = !this.isCheck || (await this.#sessionProves());
      this.withheld = !isProof && (await this.#mayBeAlive(given));
      const assignment = isProof ? given : withoutSession(given);
      this.#running = pool.run(assignment, calls, this.task.worker_deaths > 0);
      const result = await this.#running.result.catch((error: unknown): AssignmentResult | FailureData => ({
        code: "farm.worker_died",
        detail: error instanceof Error ? error.message : String(error),
      }));
      return { ...(this.ending ?? this.#endingOf(result)), withheld: this.withheld };
    } catch (error) {
      return { kind: "failed", failure: toFailureData(error), retryAt: null };
    } finally {
      lane.drop(this.task.id);
    }
  }

  async #assignment(session: Assignment["session"]): Promise<Assignment> {
    const { browser, locale, timeZone, stepTimeoutMs, mode, evidenceDir } = this.environment;
    const { id, account_key: accountKey } = this.task;
    const owner = this.mailbox("owner");
    return {
      taskId: id,
      accountKey,
      site: this.card.site,
      driverModule: this.card.module,
      origin: this.site.origin,
      credentials: this.credentials,
      kind: this.kind,
      feedMailbox: owner?.account ?? null,
      feedImap: owner?.server ?? null,
      session,
      locale,
      timeZone,
      browser,
      imap: this.mailServer,
      evidenceDir: `${evidenceDir}/${id.replace(/[^\w.-]/g, "_")}`,
      mode,
      stepTimeoutMs,
    };
  }

  async #mayBeAlive({ session, credentials }: Assignment): Promise<boolean> {
    if (session === null) return credentials.cookie !== "";
    return !(await this.environment.ledger.sessions.hasEnded(this.task.account_key));
  }

  async #sessionProves(): Promise<boolean> {
    const login = await loginOf(this.task, this.card, this.credentials);
    return sessionProves(this.environment.ledger.db, this.task.account_key, login);
  }

  #endingOf(result: AssignmentResult | FailureData): Ending {
    if ("code" in result) return { kind: "died", failure: result, retryAt: null };
    const parsed = assignmentResult.safeParse(result);
    if (!parsed.success)
      return {
        kind: "failed",
        failure: { code: "farm.bug", detail: `the worker answered nonsense: ${parsed.error.message}` },
        retryAt: null,
      };
    const { outcome } = parsed.data;
    // A driver's own error may quote what it typed, and this is told to the manager and to people.
    const failure = parsed.data.failure && { ...parsed.data.failure, detail: redact(parsed.data.failure.detail) };
    if (outcome !== "failed") return { kind: outcome, failure: failure ?? null, retryAt: null };
    // The thread lives and its browser does not: the same for the task.
    if (failure?.code === "farm.worker_died") return { kind: "died", failure, retryAt: null };
    if (failure?.code === "account.budget" && this.signInRefusal) {
      const { code, why, until } = this.signInRefusal;
      return { kind: "failed", failure: { ...failure, code, detail: why }, retryAt: until === null ? null : new Date(until) };
    }
    return { kind: "failed", failure: failure ?? { code: "farm.bug", detail: "the worker failed without a reason" }, retryAt: null };
  }

  /** Decides the end here; the worker is told at its next question. */
  end(ending: Omit<Ending, "retryAt">): void {
    this.ending ??= { ...ending, retryAt: null };
  }

  /** The cancel ladder: ask, close the context (the worker does that after 5 s), end the thread. */
  async cancel(reason: string): Promise<void> {
    const running = this.#running;
    if (!running) return;
    running.cancel(reason);
    const over = new AbortController();
    running.result.then(
      () => over.abort(),
      () => over.abort(),
    );
    await this.environment.clock.sleep(CANCEL_MS, over.signal);
    if (!over.signal.aborted) {
      this.log.warn(`the worker did not stop within ${CANCEL_MS / 1000} s; its thread is ended`);
      await running.kill();
    }
  }

  /** Is the task still ours to work on? Asked before each episode and before the click. */
  async standing(): Promise<Standing> {
    const { source } = this;
    const { clock } = this.environment;
    if (!source.once && clock.monotonic() - this.#heardAt > SILENCE_MS) {
      // The lease may have run out, and reading does not tell who holds it: `/start` does.
      const renewed = await source.deliver(this.task.id, { kind: "start" });
      if (renewed.kind === "final") return { kind: "canceled", why: renewed.why };
      if (renewed.kind !== "delivered") return { kind: "silent", why: renewed.why };
    }
    const answer = await source.read(this.task.id);
    if (answer.kind === "gone") return { kind: "canceled", why: "the manager no longer has it" };
    if (answer.kind === "task") {
      this.#heardAt = clock.monotonic();
      const { status } = answer.task;
      return isCanceledStatus(status) || status === "completed" || status === "failed"
        ? { kind: "canceled", why: `the manager shows it as ${status}` }
        : { kind: "ours" };
    }
    return clock.monotonic() - this.#heardAt > SILENCE_MS ? { kind: "silent", why: answer.why } : { kind: "ours" };
  }

  /** null: go on; else why to stop. Sets the ending. */
  async mayGoOn(): Promise<string | null> {
    if (this.ending) return this.ending.failure?.detail || this.ending.kind;
    const standing = await this.standing();
    if (standing.kind === "canceled") {
      this.end({ kind: "canceled", failure: { code: "task.canceled", detail: standing.why } });
      return standing.why;
    }
    if (standing.kind === "silent") {
      this.end({ kind: "failed", failure: { code: "manager.unreachable", detail: standing.why } });
      return failures["manager.unreachable"].say;
    }
    return null;
  }
}

/** The sign-in starts from nothing. */
function withoutSession(assignment: Assignment): Assignment {
  return { ...assignment, session: null, credentials: { ...assignment.credentials, cookie: "" } };
}
