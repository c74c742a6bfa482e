import { z } from "zod";
import { toFailureData, type FailureData } from "../contract/failures.ts";
import {
  browserState,
  failureData,
  siteCopy,
  type CoordinatorCalls,
  type EpisodeRef,
  type NextEpisode,
  type SendOutcome,
  type SiteCopy,
} from "../contract/task.ts";
import { redact } from "../kit/redact.ts";
import { pickNext } from "./decide.ts";
import { duplicateAlarm, judgeAbsence } from "./doubt.ts";
import type { EpisodeKey } from "./episodes.ts";
import { takeMailedCode, takeTotpStep } from "./once-only.ts";
import type { Preparation } from "./ports.ts";
import { judgeSubmit, takeSubmit, versionOf } from "./sign-in-guard.ts";
import type { EpisodeRow } from "./tables.ts";
import type { TaskRun } from "./task-run.ts";

/** Tries of one run in which nothing left this machine. */
const MAX_UNSENT = 2;

const sendOutcome: z.ZodType<SendOutcome> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("proof"), copy: siteCopy, httpStatus: z.number().nullable() }),
  z.object({ kind: z.literal("unsent"), why: z.string() }),
  z.object({ kind: z.literal("unknown"), why: z.string() }),
]);

/** The coordinator's side of the border for one running task. What a worker says is checked here; what it may do, in the ledger. */
export function createCalls(run: TaskRun): CoordinatorCalls {
  const { ledger, log } = { ledger: run.environment.ledger, log: run.log };
  return {
    next: async () => next(run),
    looked: async (ref, copies, baseline) => looked(run, ref, z.array(siteCopy).parse(copies), z.array(z.string()).parse(baseline)),
    async drafted(ref, draftId) {
      await ledger.episodes.keepDraft(keyOf(run, ref), ref.fence, draftId);
    },
    arm: async (ref) => arm(run, ref),
    gate: async (ref) => gate(run, ref),
    sent: async (ref, outcome) => sent(run, ref, sendOutcome.parse(outcome)),
    episodeFailed: async (ref, failure) => episodeFailed(run, ref, withoutSecrets(failureData.parse(failure))),
    maySubmitCredentials: async () => maySubmit(run),
    async credentialsJudged(verdict) {
      await judgeSubmit(ledger.db, run.task.account_key, verdict);
      await ledger.flush();
      if (verdict !== "accepted") log.warn(`the sign-in was ${verdict}`);
    },
    takeTotpStep: async (seedHash, step) => takeTotpStep(ledger.db, seedHash, step, ledger.now()),
    takeMailedCode: async (codeHash) => takeMailedCode(ledger.db, codeHash, ledger.now()),
    async saveSession(state, cookie) {
      await ledger.sessions.save(run.task.account_key, browserState.parse(state), cookie, ledger.now());
    },
    async feed(linkRss) {
      await ledger.db.updateTable("tasks").set({ link_rss: linkRss }).where("id", "=", run.task.id).execute();
      log.info("the RSS link was read", { link: linkRss });
    },
    step: (name, detail) => run.say(String(name), detail === undefined ? "" : String(detail)),
  };
}

/** A driver's error and a site's answer may quote what was typed; this is told to the manager and to people. */
function withoutSecrets(failure: FailureData): FailureData {
  return { ...failure, detail: redact(failure.detail) };
}

function keyOf(run: TaskRun, { episodeId }: Pick<EpisodeRef, "episodeId">): EpisodeKey {
  return { accountKey: run.task.account_key, episodeId };
}

function keyOfRow(row: EpisodeRow): EpisodeKey {
  return { accountKey: row.account_key, episodeId: row.episode_id };
}

/** What goes wrong here is the farm's own: it ends the run with its code, which would be lost on the way to the worker. */
async function next(run: TaskRun): Promise<NextEpisode> {
  try {
    return await choose(run);
  } catch (error) {
    if (run.draining) return { kind: "stop", reason: "the farm is shutting down" };
    run.end({ kind: "failed", failure: toFailureData(error) });
    return { kind: "stop", reason: "the farm failed" };
  }
}

async function choose(run: TaskRun): Promise<NextEpisode> {
  const { ledger } = run.environment;
  for (;;) {
    if (run.draining) return { kind: "stop", reason: "the farm is shutting down" };
    const stop = (await run.mayGoOn()) ?? whyStuck(run);
    if (stop) return { kind: "stop", reason: stop };
    const before = await ledger.episodesOf(run.task);
    const rows = (await releaseLeftOver(run, before)) ? await ledger.episodesOf(run.task) : before;
    prepareAhead(run, rows);
    const picked = pickNext(rows, ledger.now());
    if (picked.kind === "finish") return { kind: "finish" };
    if (picked.kind === "nothing") return { kind: "stop", reason: "what is left can't be posted now" };
    if (picked.kind === "wait") return { kind: "stop", reason: `an outcome is looked up at ${picked.until.toISOString()}` };
    run.position = run.task.episode_ids.indexOf(picked.episode.episode_id) + 1;
    const given = picked.kind === "look" ? await openLook(run, picked.episode) : await claim(run, picked.episode);
    if (given) return given;
  }
}

/** The worker asks for more while it still holds something: that came to no end, so it is free again. @returns whether rows have changed */
async function releaseLeftOver(run: TaskRun, rows: readonly EpisodeRow[]): Promise<boolean> {
  const { ledger } = run.environment;
  const { holder } = ledger.hand();
  const left = rows.filter((row) => row.holder === holder && row.state !== "doubt");
  for (const row of left) await ledger.episodes.release(keyOfRow(row), "the worker went on without saying how the publish request went");
  return left.length > 0;
}

/** Sets the ending. @returns why to stop, or null */
function whyStuck(run: TaskRun): string | null {
  const stuck = [...run.unsent.values()].some((times) => times >= MAX_UNSENT);
  if (!stuck) return null;
  run.end({ kind: "failed", failure: { code: "site.unreachable", detail: `the publish request could not be sent, ${MAX_UNSENT} times` } });
  return "the publish request can't be sent";
}

/** Starts making the files of everything still to be posted, in order. */
function prepareAhead(run: TaskRun, rows: readonly EpisodeRow[]): void {
  for (const row of rows) if (row.state === "waiting") void prepare(run, row).catch(() => undefined);
}

async function prepare(run: TaskRun, row: EpisodeRow): Promise<Preparation> {
  const episode = run.content.data_content.find((one) => one.id === row.episode_id);
  if (!episode) throw new Error(`task ${run.task.id} has no content for episode ${row.episode_id}`);
  return run.environment.lane.get(run.task.id, {
    episode,
    limits: run.card.limits,
    marker: row.marker,
    onProgress: (text) => {
      if (run.task.episode_ids[run.position - 1] === row.episode_id && run.step === "prepare") run.say("prepare", text);
    },
  });
}

async function claim(run: TaskRun, row: EpisodeRow): Promise<NextEpisode | null> {
  const { ledger } = run.environment;
  run.say("prepare", row.title);
  let made: Preparation;
  try {
    made = await prepare(run, row);
  } catch (error) {
    const failure = toFailureData(error);
    // Its own content: this one fails and the others go on. All else (no disk, no voice) ends the run.
    if (!failure.code.startsWith("content.")) throw error;
    await ledger.episodes.markFailed(keyOfRow(row), failure);
    run.log.warn(`can't be posted: ${failure.detail || failure.code}`, { episode: row.episode_id });
    return null;
  }
  const claimed = await ledger.episodes.claim(keyOfRow(row), made.prepared, made.fixes);
  if (!claimed) return null;
  for (const fix of made.fixes) run.log.info(`fixed: ${fix}`, { episode: row.episode_id });
  return {
    kind: "episode",
    purpose: "post",
    fence: claimed.fence,
    draftId: claimed.draft_id,
    episode: made.prepared,
    position: run.position,
    total: run.total,
  };
}

async function openLook(run: TaskRun, row: EpisodeRow): Promise<NextEpisode | null> {
  if (!row.prepared) throw new Error(`episode ${row.episode_id} is in doubt and was never prepared`);
  const opened = await run.environment.ledger.episodes.openLook(keyOfRow(row));
  return (
    opened && {
      kind: "episode",
      purpose: "look",
      fence: opened.fence,
      draftId: opened.draft_id,
      episode: row.prepared,
      position: run.position,
      total: run.total,
    }
  );
}

async function looked(run: TaskRun, ref: EpisodeRef, copies: SiteCopy[], baseline: string[]): Promise<{ go: boolean; why: string }> {
  const { ledger } = run.environment;
  const key = keyOf(run, ref);
  const [first] = copies;
  if (first) {
    await recordPosted(run, key, first, copies);
    return { go: false, why: "the site has it already" };
  }
  const row = await ledger.episodes.get(key);
  if (!row || row.fence !== ref.fence) return { go: false, why: "somebody else works on it by now" };
  if (row.state === "ready") return { go: true, why: "" };
  if (row.state === "claimed") {
    const ready = await ledger.episodes.markReady(key, ref.fence, baseline);
    return ready ? { go: true, why: "" } : { go: false, why: "somebody else works on it by now" };
  }
  if (row.state !== "doubt") return { go: false, why: `it is ${row.state}` };
  const known = new Set((await ledger.episodesOf(run.task)).flatMap((one) => [one.site_id, one.draft_id].filter((id) => id !== null)));
  const failure = judgeAbsence(row, run.card.tier, baseline, known);
  await ledger.episodes.markAbsent(key, ref.fence, failure);
  if (failure) run.log.warn(`needs a person: ${failure.detail}`, { episode: ref.episodeId });
  return { go: false, why: failure ? "a person has to decide" : "it is not there; it is posted again" };
}

/** A fact from whoever brings it. */
async function recordPosted(run: TaskRun, key: EpisodeKey, copy: SiteCopy, copies: readonly SiteCopy[]): Promise<void> {
  const { ledger, events } = run.environment;
  const alarm = duplicateAlarm(copies);
  const row = await ledger.episodes.markPosted(key, copy, alarm);
  if (alarm) {
    run.log.error(`DUPLICATE_ON_SITE: ${alarm.detail}`, { episode: key.episodeId });
    events.emit("alarm", { taskId: run.task.id, episodeId: key.episodeId, failure: alarm });
  }
  if (!row) return;
  run.log.info("posted", { episode: key.episodeId, link: copy.link });
  events.emit("posted", { taskId: run.task.id, episodeId: key.episodeId, title: row.title, link: copy.link });
}

async function arm(run: TaskRun, ref: EpisodeRef): Promise<{ armed: boolean; why: string }> {
  const why = await whyNotArmed(run, ref);
  if (why === null) return { armed: true, why: "" };
  // Handed out again it would be drafted again: not for ever.
  countUnsent(run, ref);
  return { armed: false, why };
}

async function whyNotArmed(run: TaskRun, ref: EpisodeRef): Promise<string | null> {
  const { ledger, disk } = run.environment;
  try {
    const stop = await run.mayGoOn();
    if (stop) return stop;
    const full = await disk();
    if (full) run.end({ kind: "failed", failure: { code: "farm.disk", detail: full } });
    if (full) return full;
    return (await ledger.episodes.arm(keyOf(run, ref), ref.fence, run.settleMs)) ? null : "somebody else works on it by now";
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
  try {
    const pass = await run.environment.ledger.episodes.renewArm(keyOf(run, ref), ref.fence);
    return pass ? { pass, why: "" } : { pass, why: "the episode is no longer armed by this worker" };
  } catch (error) {
    run.log.error(`the gate stays shut: ${String(error)}`, { episode: ref.episodeId });
    return { pass: false, why: "the farm could not write it down" };
  }
}

async function sent(run: TaskRun, ref: EpisodeRef, outcome: SendOutcome): Promise<void> {
  const { ledger } = run.environment;
  const key = keyOf(run, ref);
  if (outcome.kind === "proof") return recordPosted(run, key, outcome.copy, [outcome.copy]);
  if (outcome.kind === "unsent") {
    countUnsent(run, ref);
    await ledger.episodes.markUnsent(key, ref.fence);
    run.log.info(`not sent: ${outcome.why}`, { episode: ref.episodeId });
    return;
  }
  const row = await ledger.episodes.markDoubt(key, redact(outcome.why), ref.fence);
  run.log.warn(`in doubt: ${outcome.why}`, { episode: ref.episodeId, ...(row?.due && { due: row.due.toISOString() }) });
}

async function episodeFailed(run: TaskRun, ref: EpisodeRef, failure: FailureData): Promise<void> {
  const { ledger } = run.environment;
  const failed = await ledger.episodes.markFailed(keyOf(run, ref), failure, ref.fence);
  if (failed) run.log.warn(`can't be posted: ${failure.detail || failure.code}`, { episode: ref.episodeId });
  // Armed, and no word of what became of the request: no failure but doubt.
  else await ledger.episodes.markDoubt(keyOf(run, ref), failure.detail, ref.fence);
}

async function maySubmit(run: TaskRun): Promise<{ allowed: boolean; why: string }> {
  const { ledger } = run.environment;
  const { account_key: key, site } = run.task;
  const answer = await takeSubmit(ledger.db, { key, site, version: await versionOf(key, run.credentials) }, ledger.now());
  if (!answer.allowed) {
    run.signInRefusal = answer;
    run.log.warn(`no sign-in now: ${answer.why}`, answer.until === null ? {} : { until: new Date(answer.until).toISOString() });
    return { allowed: false, why: answer.why };
  }
  await ledger.flush();
  return { allowed: true, why: "" };
}
