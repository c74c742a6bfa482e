import { sayFailure, type FailureCode, type FailureData } from "../contract/failures.ts";
import type { WorkerTask } from "../contract/worker-api.ts";
import { jitterMs } from "./backoff.ts";
import { timeOf, waitInside, type Ending, type Judgement } from "./decide.ts";
import type { Random } from "./ports.ts";

/**
 * A check is a task whose one piece of work is to be signed in: the same ledger, the same guards, the same order of the
 * account's work. Nothing is posted, so that it has no episodes and one report: it works, or why not.
 */
export function isCheck(task: Pick<WorkerTask, "kind">): boolean {
  return task.kind === "check";
}

const PREFIX = "check:";

/** A check's id in the ledger: no task of the source can be called so. */
export const checkTaskId = (checkId: string): string => PREFIX + checkId;
/** The id by which the source knows it. */
export const checkIdOf = (taskId: string): string => taskId.slice(PREFIX.length);

/**
 * In the queue a check goes first, so that it never stands before other work of its account for long: whoever takes it starts
 * it last.
 */
export const CHECK_PRIORITY = 999_999;

/** Why a check ends whose account is not there any more. */
export const MOVED = "the account has moved to another site";

/** So many of the places may be taken by checks at a time. */
export function checksAtOnce(concurrency: number): number {
  return Math.max(1, Math.floor(concurrency / 4));
}

const MOST_HELD_A_PLACE = 8;
/** So many are held at a time, whatever they wait for: one pull has to show them all. */
export const MOST_CHECKS_HELD = 500;

/** So many are held of one site: one that pauses must not fill the farm with work that it can't do, nor stand before other sites. */
export function checksHeldOfSite(concurrency: number): number {
  return Math.min(MOST_CHECKS_HELD, MOST_HELD_A_PLACE * checksAtOnce(concurrency));
}

/** The manager's lease of a check lasts 15 minutes; a sign-in that begins has to end within it. */
const LEASE_SURE_MS = 10 * 60_000;

/** Whether the manager has shown it to us so lately that nobody else can have it: only then may it sign in. */
export function isSurelyOurs({ renewed_at, created_at }: { renewed_at: Date | null; created_at: Date }, now: Date): boolean {
  return now.getTime() - (renewed_at ?? created_at).getTime() < LEASE_SURE_MS;
}

/** What says something about the account. All else is the site's or the farm's own trouble, and nobody's answer. */
const answers: ReadonlySet<FailureCode> = new Set([
  "account.refused",
  "account.locked",
  "account.challenged",
  "account.incomplete",
  "totp.refused",
  "totp.malformed",
  "mailbox.refused",
  "mailbox.no_code",
  "site.unsupported",
]);

/** These say it only when they come again: one code that was typed late, or a mail that was slow, disables no account. */
const onceMore: ReadonlySet<FailureCode> = new Set(["totp.refused", "mailbox.no_code"]);

/** Whether this tells that the account can't be signed in to. */
export function isAnswer(code: FailureCode): boolean {
  return answers.has(code);
}

const MAX_DEATHS = 2;
const MAX_MESSAGE = 10_000;
/** Time for a pull to say how. */
const CHANGED_MS = 30_000;
const FIRST_PAUSE_MS = 60_000;
const LAST_PAUSE_MS = 3600_000;
/** In trouble for so long, it is let go: its lease runs out, and whoever pulls it next begins anew. */
const TROUBLE_MS = 24 * 3600_000;

/** A check as its end finds it. */
export interface CheckView {
  workerDeaths: number;
  /** Runs that ended in trouble. */
  tries: number;
  /** The account's secrets are others by now. */
  changed: boolean;
  /** The account is at another site by now. */
  moved: boolean;
  since: Date;
  /** What an earlier run has met and waits to see again. */
  last?: FailureData | null;
}

/**
 * What becomes of a check when a run has ended. What the farm itself forbids for now, and what is wrong with the farm or the
 * site, is no answer about the account: the check waits. How often a password is typed meanwhile, the guard decides.
 */
export function judgeCheck(
  { workerDeaths, tries, changed, moved, since, last = null }: CheckView,
  ending: Ending,
  now: Date,
  random: Random,
): Judgement {
  const waits = (againMs: number, waitsFor: string, tried = tries): Judgement => ({
    state: "waiting",
    reports: [],
    againMs,
    failure: last && onceMore.has(last.code) ? last : null,
    waitsFor,
    tries: tried,
  });
  const ends = (over: Partial<Judgement>): Judgement => ({ ...waits(0, "", 0), againMs: null, failure: null, ...over });
  if (moved) return ends({ state: "canceled", failure: { code: "task.canceled", detail: MOVED } });
  if (ending.kind === "canceled") return ends({ state: "canceled", failure: ending.failure });
  if (changed) return { ...waits(CHANGED_MS, "the account was changed meanwhile", 0), failure: null };
  if (ending.kind === "done") return ends({ state: "completed", reports: [{ kind: "check", ok: true }] });
  if (ending.kind === "stopped") return waits(0, "");
  if (ending.kind === "died" && workerDeaths < MAX_DEATHS)
    return waits(1000, "its worker thread or browser died; it goes on in one of its own");
  const failure = ending.failure ?? { code: "farm.bug", detail: "the check ended without a reason" };
  const pauseMs = jitterMs(Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)), random);
  const later = (): Judgement => waits(pauseMs, `${sayFailure(failure)} Next try ${timeOf(now, pauseMs)}.`, tries + 1);
  if (onceMore.has(failure.code) && last?.code !== failure.code) return { ...later(), failure };
  if (isAnswer(failure.code))
    return ends({
      state: "failed",
      failure,
      reports: [{ kind: "check", ok: false, error_message: sayFailure(failure).slice(0, MAX_MESSAGE) }],
    });
  const inside = waitInside(failure, ending.retryAt, now);
  if (inside) return waits(inside.againMs, inside.waitsFor);
  if (tries > 0 && now.getTime() - since.getTime() >= TROUBLE_MS) return ends({ state: "canceled", failure });
  return later();
}
