import { z } from "zod";
import { toFailureData, type FailureData } from "../contract/failures.ts";
import {
  browserState,
  failureData,
  siteCopy,
  sighting,
  type CoordinatorCalls,
  type EpisodeRef,
  type MailboxOf,
  type SendOutcome,
} from "../contract/task.ts";
import type { EpisodeState } from "../contract/states.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { redact } from "../kit/redact.ts";
import { isSurelyOurs } from "./checks.ts";
import { loginOf } from "./login.ts";
import { alarm, looked, recordPosted } from "./looked.ts";
import { next } from "./next-episode.ts";
import { isRefusedMailbox, mailboxVersionOf, noteRefusedMailbox } from "./mailbox-guard.ts";
import { takeMailedCode, takeTotpStep } from "./once-only.ts";
import { judgeSubmit, takeSubmit } from "./sign-in-guard.ts";
import type { TaskRun } from "./task-run.ts";

/** Before the arm. A claim that was given up and a failure keep the fence, so their rows have not been armed under it either. */
const neverArmed: ReadonlySet<EpisodeState> = new Set(["waiting", "ready", "failed", "canceled"]);

/** Then the run leaves the field to whoever holds the fences. */
const MAX_LOST_FENCES = 3;

const sendOutcome: z.ZodType<SendOutcome> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("proof"), copy: siteCopy, httpStatus: z.number().nullable() }),
  z.object({ kind: z.literal("unsent"), why: z.string() }),
  z.object({ kind: z.literal("unknown"), why: z.string(), evidence: z.array(z.string()).optional() }),
]);

/** The coordinator's side of the border for one running task. What a worker says is checked here; what it may do, in the ledger. */
export function createCalls(run: TaskRun): CoordinatorCalls {
  const { ledger, log } = { ledger: run.environment.ledger, log: run.log };
  return notingTheDisk(run, {
    next: async () => next(run),
    looked: async (ref, seen) => looked(run, ref, sighting.parse(seen)),
    async drafted(ref, draftId) {
      await ledger.episodes.keepDraft(run.keyOf(ref), ref.fence, draftId);
      crashpoint("draft-kept");
    },
    async discarded(episodeId, draftId) {
      await ledger.episodes.forgetDraft(run.keyOf({ episodeId }), draftId);
      log.info("a draft that nobody needs was taken away", { episode: episodeId, draft: draftId });
    },
    arm: async (ref) => arm(run, ref),
    gate: async (ref) => gate(run, ref),
    sent: async (ref, outcome) => sent(run, ref, sendOutcome.parse(outcome)),
    episodeFailed: async (ref, failure) => episodeFailed(run, ref, withoutSecrets(failureData.parse(failure))),
    maySubmitCredentials: async () => maySubmit(run),
    async credentialsJudged(verdict) {
      if (run.submitId !== null) await judgeSubmit(ledger.db, run.submitId, verdict);
      await ledger.flush();
      if (verdict !== "accepted") log.warn(`the sign-in was ${verdict}`);
    },
    mayOpenMailbox: async (whose = "account") => mayOpenMailbox(run, whose),
    async mailboxRefused(needed, whose = "account") {
      const version = await versionOfMailbox(run, whose);
      if (version) await noteRefusedMailbox(ledger.db, version, needed ? run.task.site : null, ledger.now());
      await ledger.flush();
      log.warn("the mailbox refused its password; it is not tried again until it changes");
    },
    sessionChecked: async (known) => ledger.sessions.checked(run.task.account_key, known, ledger.now()),
    async takeTotpStep(seedHash, step) {
      const taken = await takeTotpStep(ledger.db, seedHash, step, ledger.now());
      await ledger.flush();
      crashpoint("code-taken");
      return taken;
    },
    async takeMailedCode(codeHash) {
      const taken = await takeMailedCode(ledger.db, codeHash, ledger.now());
      await ledger.flush();
      return taken;
    },
    async saveSession(state, cookie, how) {
      // Stopped where the kept session may not be: that one stays.
      if (how.kind === "stopped" && run.withheld) return;
      await ledger.sessions.save(run.task.account_key, browserState.parse(state), cookie, ledger.now(), how);
      crashpoint("session-saved");
    },
    async feed(linkRss) {
      await ledger.db.updateTable("tasks").set({ link_rss: linkRss }).where("id", "=", run.task.id).execute();
      crashpoint("feed-written");
      log.info("the RSS link was read", { link: linkRss });
    },
    step: (name, detail) => run.say(String(name), detail === undefined ? "" : String(detail)),
  });
}

/** What a full disk refuses reaches the worker as an error like any other, which would be the task's end: why it ended is noted here. */
function notingTheDisk(run: TaskRun, calls: CoordinatorCalls): CoordinatorCalls {
  const noting = Object.entries(calls).map(([name, call]: [string, (...args: never[]) => unknown]) => [
    name,
    async (...args: never[]) => {
      try {
        return await call(...args);
      } catch (error) {
        const failure = toFailureData(error);
        if (failure.code === "farm.disk") run.end({ kind: "failed", failure });
        throw error;
      }
    },
  ]);
  return Object.fromEntries(noting) as CoordinatorCalls;
}

/** A driver's error and a site's answer may quote what was typed; this is told to the manager and to people. */
function withoutSecrets(failure: FailureData): FailureData {
  return { ...failure, detail: redact(failure.detail) };
}

async function arm(run: TaskRun, ref: EpisodeRef): Promise<{ armed: boolean; why: string }> {
  const why = await whyNotArmed(run, ref);
  return why === null ? { armed: true, why: "" } : { armed: false, why };
}

async function whyNotArmed(run: TaskRun, ref: EpisodeRef): Promise<string | null> {
  const { ledger, disk } = run.environment;
  try {
    const stop = await run.mayGoOn();
    if (stop) return stop;
    const full = await disk();
    if (full) run.end({ kind: "failed", failure: { code: "farm.disk", detail: full } });
    if (full) return full;
    crashpoint("before-arm");
    if (!(await ledger.episodes.arm(run.keyOf(ref), ref.fence, run.settleMs))) {
      // No failure of the site, and none of this task: but handed out again it would be drafted again, not for ever.
      run.lostFences += 1;
      if (run.lostFences >= MAX_LOST_FENCES)
        run.end({ kind: "stopped", failure: { code: "farm.stopping", detail: "another farm works on its episodes" } });
      return "somebody else works on it by now";
    }
    crashpoint("after-arm");
    return null;
  } catch (error) {
    run.log.error(`not armed: ${String(error)}`, { episode: ref.episodeId });
    run.end({ kind: "failed", failure: { code: "farm.disk", detail: error instanceof Error ? error.message : String(error) } });
    return "the farm could not write it down";
  }
}

function countUnsent(run: TaskRun, { episodeId }: EpisodeRef): void {
  run.unsent.set(episodeId, (run.unsent.get(episodeId) ?? 0) + 1);
}

async function gate(run: TaskRun, ref: EpisodeRef): Promise<{ pass: boolean; why: string }> {
  crashpoint("gate-asked");
  try {
    const pass = await run.environment.ledger.episodes.renewArm(run.keyOf(ref), ref.fence);
    crashpoint("gate-passed");
    return pass ? { pass, why: "" } : { pass, why: "the episode is no longer armed by this worker" };
  } catch (error) {
    run.log.error(`the gate stays shut: ${String(error)}`, { episode: ref.episodeId });
    return { pass: false, why: "the farm could not write it down" };
  }
}

async function sent(run: TaskRun, ref: EpisodeRef, outcome: SendOutcome): Promise<void> {
  const { ledger } = run.environment;
  const key = run.keyOf(ref);
  if (outcome.kind !== "unsent") await assertArmed(run, ref);
  if (outcome.kind === "proof") {
    crashpoint("proof-heard");
    return recordPosted(run, key, outcome.copy, null);
  }
  if (outcome.kind === "unsent") {
    countUnsent(run, ref);
    await ledger.episodes.markUnsent(key, ref.fence);
    run.log.info(`not sent: ${outcome.why}`, { episode: ref.episodeId });
    return;
  }
  const row = await ledger.episodes.markDoubt(key, { detail: redact(outcome.why), evidence: outcome.evidence ?? [] }, ref.fence);
  crashpoint("doubt-written");
  run.log.warn(`in doubt: ${outcome.why}`, { episode: ref.episodeId, ...(row?.due && { due: row.due.toISOString() }) });
}

/** No send without an arm of the same fence: under this fence the row has been armed, or somebody has a newer one. */
async function assertArmed(run: TaskRun, { episodeId, fence }: EpisodeRef): Promise<void> {
  const key = run.keyOf({ episodeId });
  const row = await run.environment.ledger.episodes.get(key);
  if (row?.fence !== fence || !neverArmed.has(row.state)) return;
  const failure: FailureData = {
    code: "farm.invariant",
    detail: `a publish request of episode ${episodeId} was sent while the ledger has it as ${row.state}`,
  };
  run.end({ kind: "failed", failure });
  await alarm(run, key, failure);
}

async function episodeFailed(run: TaskRun, ref: EpisodeRef, failure: FailureData): Promise<void> {
  const { ledger } = run.environment;
  const failed = await ledger.episodes.markFailed(run.keyOf(ref), failure, ref.fence);
  if (failed) run.log.warn(`can't be posted: ${failure.detail || failure.code}`, { episode: ref.episodeId });
  // Armed, and no word of what became of the request: no failure but doubt.
  else await ledger.episodes.markDoubt(run.keyOf(ref), failure, ref.fence);
}

const REFUSED_MAILBOX = "this mailbox refused its password before; neither is tried again until it changes";

async function versionOfMailbox(run: TaskRun, whose: MailboxOf): Promise<string | null> {
  const mailbox = run.mailbox(whose);
  return mailbox && mailboxVersionOf(mailbox.account, mailbox.server);
}

async function mayOpenMailbox(run: TaskRun, whose: MailboxOf): Promise<{ allowed: boolean; why: string }> {
  const version = await versionOfMailbox(run, whose);
  const refused = version !== null && (await isRefusedMailbox(run.environment.ledger.db, version, null));
  return refused ? { allowed: false, why: REFUSED_MAILBOX } : { allowed: true, why: "" };
}

const NOT_SURELY_OURS = "the manager has not shown the check for a while: it may be another farm's by now";

async function maySubmit(run: TaskRun): Promise<{ allowed: boolean; why: string }> {
  const { ledger } = run.environment;
  const { site } = run.task;
  // A holder whose claim is gone, thawed too late, signs in no more: somebody else may be at it.
  if (run.ending) return { allowed: false, why: run.ending.failure?.detail ?? run.ending.kind };
  if (run.isCheck) {
    const row = await ledger.task(run.task.id);
    if (!row || !isSurelyOurs(row, ledger.now())) {
      run.end({ kind: "stopped", failure: { code: "farm.stopping", detail: NOT_SURELY_OURS } });
      return { allowed: false, why: NOT_SURELY_OURS };
    }
  }
  const mailbox = await mailboxVersionOf(run.credentials, run.mailServer);
  if (mailbox && (await isRefusedMailbox(ledger.db, mailbox, site))) {
    run.signInRefusal = { allowed: false, code: "mailbox.refused", why: REFUSED_MAILBOX, until: null };
    return { allowed: false, why: REFUSED_MAILBOX };
  }
  const login = await loginOf(run.task, run.card, run.credentials);
  const answer = await takeSubmit(ledger.db, { ...login, site, madeBy: run.task.account_key, isCheck: run.isCheck }, ledger.now());
  if (!answer.allowed) {
    run.signInRefusal = answer;
    run.log.warn(`no sign-in now: ${answer.why}`, answer.until === null ? {} : { until: new Date(answer.until).toISOString() });
    return { allowed: false, why: answer.why };
  }
  run.submitId = answer.id;
  await ledger.flush();
  crashpoint("submit-counted");
  return { allowed: true, why: "" };
}
