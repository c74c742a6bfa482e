import { toFailureData, type FailureData } from "../contract/failures.ts";
import type { NextEpisode, PreparedEpisode } from "../contract/task.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { pickNext, type Ending } from "./decide.ts";
import type { EpisodeKey } from "./episodes.ts";
import type { Preparation, PreparationRequest } from "./ports.ts";
import type { EpisodeRow } from "./tables.ts";
import type { TaskRun } from "./task-run.ts";

/** Tries of one run in which nothing left this machine. */
const MAX_UNSENT = 2;

/** A worker's next piece of work. What goes wrong here is the farm's own: it ends the run with its code, which would be lost on the way to the worker. */
export async function next(run: TaskRun): Promise<NextEpisode> {
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
    // Nothing more is posted then; what is in doubt is looked up all the same, so that it does not stay unknown.
    if (stop && run.ending?.kind !== "canceled") return { kind: "stop", reason: stop };
    const before = await ledger.episodesOf(run.task);
    const rows = (await releaseLeftOver(run, before)) ? await ledger.episodesOf(run.task) : before;
    if (stop) return (await lookOfCanceled(run, rows)) ?? { kind: "stop", reason: stop };
    prepareAhead(run, rows);
    const picked = pickNext(rows, ledger.now(), (row) => run.tier !== "blind" && !run.counted.has(row.episode_id));
    if (picked.kind === "finish" || picked.kind === "nothing") {
      const leftOver = (await lateCount(run)) ?? (await leftOverDraft(run));
      if (leftOver) return leftOver;
    }
    if (picked.kind === "finish") return { kind: "finish" };
    if (picked.kind === "nothing") return { kind: "stop", reason: "what is left can't be posted now" };
    if (picked.kind === "wait") return { kind: "stop", reason: `an outcome is looked up at ${picked.until.toISOString()}` };
    run.position = run.task.episode_ids.indexOf(picked.episode.episode_id) + 1;
    const given = await give[picked.kind](run, picked.episode);
    if (given) return given;
  }
}

const give = { post: claim, look: openLook, count: askCount } as const;

async function lookOfCanceled(run: TaskRun, rows: readonly EpisodeRow[]): Promise<NextEpisode | null> {
  const now = run.environment.ledger.now();
  const due = rows.find((row) => row.state === "doubt" && (!row.due || row.due <= now));
  return due ? openLook(run, due) : null;
}

/** Each draft is asked for once in a run: a site that refuses must not hold up the rest. */
async function leftOverDraft(run: TaskRun): Promise<NextEpisode | null> {
  if (!run.card.discards || run.isImport) return null;
  for (const row of await run.environment.ledger.leftOverDrafts(run.task.account_key)) {
    const { draft_id: draftId, prepared: episode, episode_id: id } = row;
    if (draftId === null || episode === null || run.swept.has(id)) continue;
    run.swept.add(id);
    return { kind: "discard", draftId, episode };
  }
  return null;
}

/** What earlier runs of the account counted too early, before the site showed anything. */
async function lateCount(run: TaskRun): Promise<NextEpisode | null> {
  if (run.tier === "blind") return null;
  const rows = await run.environment.ledger.uncounted(run.task.account_key, run.settleMs);
  // The driver looks for imported shows elsewhere than for episodes.
  const row = rows.find(({ episode_id, prepared }) => !run.counted.has(episode_id) && (prepared?.feed !== undefined) === run.isImport);
  return row ? askCount(run, row) : null;
}

function askCount(run: TaskRun, row: EpisodeRow): NextEpisode | null {
  run.counted.add(row.episode_id);
  if (!row.prepared) throw new Error(`episode ${row.episode_id} is posted and was never prepared`);
  return handOut(run, row, "count", row.prepared);
}

function handOut(run: TaskRun, row: EpisodeRow, purpose: "post" | "look" | "count", episode: PreparedEpisode): NextEpisode {
  const { position, total } = run;
  return { kind: "episode", purpose, fence: row.fence, draftId: row.draft_id, episode, position, total };
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
  return run.environment.lane.get(run.task.id, requestOf(run, row));
}

function requestOf(run: TaskRun, row: EpisodeRow): Omit<PreparationRequest, "signal"> {
  const episode = run.content.data_content.find((one) => one.id === row.episode_id);
  if (!episode) throw new Error(`task ${run.task.id} has no content for episode ${row.episode_id}`);
  return {
    episode,
    kind: run.isImport ? "import" : "post",
    limits: run.card.limits,
    marker: row.marker,
    onProgress: (text) => {
      if (run.task.episode_ids[run.position - 1] === row.episode_id && run.step === "prepare") run.say("prepare", text);
    },
  };
}

/**
 * Before a browser is opened: what can't be posted for its own content is said at once, up to the first episode that can be.
 * @returns how the run ends when there is none; null: go on
 */
export async function preflight(run: TaskRun): Promise<Ending | null> {
  const { ledger, lane } = run.environment;
  if (!lane.checks || run.isImport) return null;
  const rows = await ledger.episodesOf(run.task);
  // Something of it is on the site, or may be: a browser is needed in any case.
  if (rows.length === 0 || rows.some(({ state }) => state !== "waiting" && state !== "failed")) return null;
  for (const row of rows.filter(({ state }) => state === "waiting")) {
    run.say("check", row.title);
    try {
      await lane.check(run.task.id, requestOf(run, row));
      return null;
    } catch (error) {
      if (run.draining) return { kind: "stopped", failure: null, retryAt: null };
      const failure = toFailureData(error);
      if (!failure.code.startsWith("content.")) return { kind: "failed", failure, retryAt: null };
      await refuse(run, row, failure);
    }
  }
  await run.mayGoOn();
  return run.ending ?? { kind: "done", failure: null, retryAt: null };
}

/** Its own content: this one fails and the others go on. */
async function refuse(run: TaskRun, row: EpisodeRow, failure: FailureData): Promise<void> {
  await run.environment.ledger.episodes.markFailed(keyOfRow(row), failure);
  run.log.warn(`can't be posted: ${failure.detail || failure.code}`, { episode: row.episode_id });
}

async function claim(run: TaskRun, row: EpisodeRow): Promise<NextEpisode | null> {
  const { ledger } = run.environment;
  run.say("prepare", row.title);
  let made: Preparation;
  try {
    made = await prepare(run, row);
  } catch (error) {
    const failure = toFailureData(error);
    // All else than its content (no disk, no voice) ends the run.
    if (!failure.code.startsWith("content.")) throw error;
    await refuse(run, row, failure);
    return null;
  }
  const claimed = await ledger.episodes.claim(keyOfRow(row), made.prepared, made.fixes);
  if (!claimed) return null;
  crashpoint("claimed");
  for (const fix of made.fixes) run.log.info(`fixed: ${fix}`, { episode: row.episode_id });
  return handOut(run, claimed, "post", made.prepared);
}

async function openLook(run: TaskRun, row: EpisodeRow): Promise<NextEpisode | null> {
  if (!row.prepared) throw new Error(`episode ${row.episode_id} is in doubt and was never prepared`);
  const opened = await run.environment.ledger.episodes.openLook(keyOfRow(row));
  crashpoint("look-opened");
  return opened && handOut(run, opened, "look", row.prepared);
}

function keyOfRow(row: EpisodeRow): EpisodeKey {
  return { accountKey: row.account_key, episodeId: row.episode_id };
}
