import type { FailureData } from "../contract/failures.ts";
import type { EpisodeRef, Sighting, SiteCopy, SiteEntry } from "../contract/task.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { duplicateAlarm, isContested, judgeAbsence, lookalikes, newOfOurs, strangers } from "./doubt.ts";
import type { EpisodeKey } from "./episodes.ts";
import type { EpisodeRow } from "./tables.ts";
import type { TaskRun } from "./task-run.ts";

/** Before the draft, of an episode in doubt, or after its proof: the row's state says which. */
export async function looked(run: TaskRun, ref: EpisodeRef, seen: Sighting): Promise<{ go: boolean; why: string }> {
  const { ledger } = run.environment;
  const { entries, evidence } = seen;
  const baseline = entries.map(({ id }) => id);
  const key = run.keyOf(ref);
  crashpoint("looked");
  const row = await ledger.episodes.get(key);
  const neighbours = entries.length > 0 ? await ledger.neighbours(key) : [];
  const copies = seen.copies ?? (row ? newOfOurs(row, entries, neighbours) : []);
  if (row?.state === "posted" || row?.state === "reported") {
    if (seen.copies || !isContested(row, neighbours)) await count(run, row, copies);
    return { go: false, why: "it is posted" };
  }
  const [first] = copies;
  if (first && (ledger.rules.preLook || row?.state !== "claimed")) {
    await recordPosted(run, key, first, copies);
    return { go: false, why: "the site has it already" };
  }
  if (!row || row.fence !== ref.fence) return { go: false, why: "somebody else works on it by now" };
  if (row.state === "ready") return { go: true, why: "" };
  if (row.state === "claimed") {
    const [twin] = seen.copies === null ? lookalikes(row, entries, neighbours) : [];
    if (twin) return unclear(run, ref, baseline, twin, "with the same title");
    // Of a try whose outcome is unknown: a list that lagged then may show it now.
    const [stranger] = seen.copies === null && row.attempts > 0 ? strangers(row, entries, neighbours) : [];
    if (stranger) return unclear(run, ref, baseline, stranger, "under a title that is none of ours");
    const ready = await ledger.episodes.markReady(key, ref.fence, baseline);
    crashpoint("ready");
    return ready ? { go: true, why: "" } : { go: false, why: "somebody else works on it by now" };
  }
  if (row.state !== "doubt") return { go: false, why: `it is ${row.state}` };
  const { tier } = run;
  const unknown = seen.copies === null ? strangers(row, entries, neighbours) : [];
  const verdict = judgeAbsence(row, { tier, repost: run.environment.repost }, lookalikes(row, entries, neighbours), unknown);
  const failure = verdict && { ...verdict, evidence: [...(row.failure?.evidence ?? []), ...evidence] };
  await ledger.episodes.markAbsent(key, ref.fence, failure);
  if (failure) run.log.warn(`needs a person: ${failure.detail}`, { episode: ref.episodeId });
  return { go: false, why: failure ? "a person has to decide" : "it is not there; it is posted again" };
}

/** Without a marker an entry with our title may be ours all the same: of a ledger that was put back, or made by hand. */
async function unclear(
  run: TaskRun,
  ref: EpisodeRef,
  baseline: string[],
  twin: SiteEntry,
  how: string,
): Promise<{ go: boolean; why: string }> {
  const failure: FailureData = {
    code: "episode.in_doubt",
    detail: `the site, which keeps no marker, shows an entry ${how} already: ${twin.link || twin.id}`,
  };
  await run.environment.ledger.episodes.markUnclear(run.keyOf(ref), ref.fence, baseline, failure);
  run.log.warn(`needs a person: ${failure.detail}`, { episode: ref.episodeId });
  return { go: false, why: "a person has to decide" };
}

/** The after-look: what was proved is counted, and nothing else changes. */
async function count(run: TaskRun, row: EpisodeRow, copies: readonly SiteCopy[]): Promise<void> {
  const key = run.keyOf({ episodeId: row.episode_id });
  // A list that lags shows nothing yet, and has proved nothing: the account's next run counts again.
  const settled = run.environment.ledger.now().getTime() >= row.updated_at.getTime() + run.settleMs;
  if (copies.length === 0 && !settled) return;
  const failure = duplicateAlarm(copies);
  await run.environment.ledger.episodes.markCounted(key, copies.length, failure);
  if (failure) await alarm(run, key, failure);
}

/** A promise was broken: loud, and nothing starts on this account until a person has looked. */
export async function alarm(run: TaskRun, key: EpisodeKey, failure: FailureData): Promise<void> {
  const { ledger, events } = run.environment;
  const name = failure.code === "episode.duplicate_on_site" ? "DUPLICATE_ON_SITE" : "INVARIANT BROKEN";
  run.log.error(`${name}: ${failure.detail}`, { episode: key.episodeId });
  events.emit("alarm", { taskId: run.task.id, episodeId: key.episodeId, failure });
  await ledger.stopAccount(run.task, failure);
}

/** A fact from whoever brings it. @param copies what a look counted; null: it is the word of the publish request's own answer */
export async function recordPosted(run: TaskRun, key: EpisodeKey, copy: SiteCopy, copies: readonly SiteCopy[] | null): Promise<void> {
  const { ledger, events } = run.environment;
  const failure = duplicateAlarm(copies ?? []);
  const row = await ledger.episodes.markPosted(key, copy, copies?.length ?? null, failure);
  crashpoint("posted");
  if (failure) await alarm(run, key, failure);
  if (!row) return;
  run.log.info("posted", { episode: key.episodeId, link: copy.link });
  events.emit("posted", { taskId: run.task.id, episodeId: key.episodeId, title: row.title, link: copy.link });
}
