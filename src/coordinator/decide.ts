import { failures, sayFailure, type FailureCode, type FailureData } from "../contract/failures.ts";
import type { EpisodeState, TaskState } from "../contract/states.ts";
import { postedLimits, type Report } from "../contract/worker-api.ts";
import { backoffMs } from "./backoff.ts";
import type { Random } from "./ports.ts";

/** Decisions only: no I/O, no clock, no randomness but what is handed in. */

/** What the decisions need to know of an episode. */
export interface EpisodeView {
  episode_id: string;
  title: string;
  state: EpisodeState;
  due: Date | null;
  link: string | null;
  failure: FailureData | null;
  /** Copies counted on the site after the proof; null: not yet. */
  copies: number | null;
}

const isPosted = (episode: EpisodeView): boolean => episode.state === "posted" || episode.state === "reported";

export type Next<E extends EpisodeView> =
  | { kind: "post"; episode: E }
  | { kind: "look"; episode: E }
  | { kind: "count"; episode: E }
  | { kind: "wait"; until: Date }
  | { kind: "finish" }
  | { kind: "nothing" };

/**
 * What a run does next. Episodes go in their order; one in doubt holds back those after it until it was looked up (minutes);
 * one that needs a person or failed does not. What is out is counted once all is out.
 * @param countable the site can be asked how many copies of it there are, and this run has not asked yet
 */
export function pickNext<E extends EpisodeView>(episodes: readonly E[], now: Date, countable: (episode: E) => boolean): Next<E> {
  for (const episode of episodes) {
    if (episode.state === "waiting") return { kind: "post", episode };
    if (episode.state === "doubt")
      return episode.due && episode.due > now ? { kind: "wait", until: episode.due } : { kind: "look", episode };
  }
  const uncounted = episodes.find((episode) => episode.state === "posted" && episode.copies === null && countable(episode));
  if (uncounted) return { kind: "count", episode: uncounted };
  return episodes.every(isPosted) ? { kind: "finish" } : { kind: "nothing" };
}

/** How a run ended. */
export interface Ending {
  kind: "done" | "stopped" | "failed" | "died" | "canceled";
  failure: FailureData | null;
  /** Not before, where the reason knows (a sign-in budget). */
  retryAt: Date | null;
  /** The account's session was kept from the run: that one may be alive, whatever the run has met. */
  withheld?: boolean;
}

export interface TaskView {
  episodes: readonly EpisodeView[];
  /** What is done is one import: there is no feed of ours to be read afterwards. */
  isImport?: boolean;
  linkRss: string | null;
  cookie: string;
  /** Where episodes have no page of their own. */
  fallbackLink: string;
  workerDeaths: number;
  tries: number;
}

/** What becomes of a task when a run has ended. */
export interface Judgement {
  state: TaskState;
  reports: Report[];
  /** Run again, after this time; null: not by itself. */
  againMs: number | null;
  failure: FailureData | null;
  waitsFor: string;
  tries: number;
}

/** The task waits inside the farm: reporting `/fail` would only use up the manager's retries. */
const waitsInside: ReadonlySet<FailureCode> = new Set(["account.budget", "farm.stopping", "farm.disk", "manager.unreachable"]);
/** A person has to act at the site, not at the manager: the task is held for them. */
const holdsForPerson: ReadonlySet<FailureCode> = new Set([
  "account.challenged",
  "episode.in_doubt",
  "episode.duplicate_on_site",
  "farm.invariant",
]);
const inHands: ReadonlySet<EpisodeState> = new Set(["claimed", "ready", "armed"]);
const MAX_DEATHS = 2;
const MAX_FEED_TRIES = 3;
const MAX_LOOK_TRIES = 3;
const MAX_IDLE_RUNS = 5;
const WAIT_INSIDE_MS = 30_000;

export function judgeTask(task: TaskView, ending: Ending, now: Date, random: Random): Judgement {
  const { episodes, tries } = task;
  const posted = episodes.filter(isPosted);
  const failure = ending.failure;
  const stays = (state: TaskState, againMs: number | null, waitsFor: string, more: Partial<Judgement> = {}): Judgement => ({
    state,
    reports: [],
    againMs,
    failure: null,
    waitsFor,
    tries: 0,
    ...more,
  });

  const doubts = episodes.filter((episode) => episode.state === "doubt");
  const canceled = ending.kind === "canceled";
  if (canceled && doubts.length === 0 && posted.length < episodes.length)
    return stays("canceled", null, "", { failure: failure ?? { code: "task.canceled", detail: "" } });
  if (episodes.length > 0 && posted.length === episodes.length) {
    // All out before the word arrived: a late complete is a fact.
    const feedMissing = !task.isImport && !canceled && !task.linkRss && ending.kind !== "done" && tries + 1 < MAX_FEED_TRIES;
    if (feedMissing)
      return stays(
        "waiting",
        ending.kind === "stopped" ? 0 : backoffMs(tries + 3, random),
        "all is posted; the RSS link is still to be read",
        { tries: tries + 1 },
      );
    return stays("completed", null, "", { reports: completion(task) });
  }

  if (doubts.length > 0) {
    const lookFailed =
      (ending.kind === "failed" || ending.kind === "died") && failure && doubts.some((episode) => !episode.due || episode.due <= now);
    if (
      lookFailed &&
      (failures[failure.code].retry === "never" ||
        (failures[failure.code].retry === "person" && tries + 1 >= MAX_LOOK_TRIES) ||
        task.workerDeaths >= MAX_DEATHS)
    )
      return stays("needs_person", null, sayFailure(failure), { failure });
    const dueMs = Math.min(...doubts.map((episode) => (episode.due ?? now).getTime() - now.getTime()));
    const backMs = lookFailed ? backoffMs(tries + 5, random) : 0;
    const untilMs = ending.retryAt ? ending.retryAt.getTime() - now.getTime() : 0;
    const againMs = Math.max(0, dueMs, backMs, untilMs);
    return stays(
      "unsure",
      againMs,
      `the outcome of ${doubts.length === 1 ? "a publish click" : `${doubts.length} publish clicks`} is unknown; the site is looked at ${timeOf(now, againMs)}`,
      { tries: lookFailed ? tries + 1 : 0 },
    );
  }

  if (ending.kind === "died") {
    if (task.workerDeaths >= MAX_DEATHS)
      return failed(task, { code: "farm.worker_died", detail: `its worker thread or browser died ${task.workerDeaths} times` });
    return stays("waiting", 1000, "its worker thread or browser died; it goes on in one of its own");
  }
  // A holder that was given up too early is still at it: it ends, or its lease does.
  if (episodes.some((episode) => inHands.has(episode.state)))
    return stays("waiting", WAIT_INSIDE_MS, "another worker is still at one of its episodes");
  const open = episodes.some((episode) => episode.state === "waiting");
  const forPerson = episodes.find((episode) => episode.state === "needs_person");
  if (ending.kind === "failed" && failure) {
    const inside = waitInside(failure, ending.retryAt, now);
    if (inside) return stays("waiting", inside.againMs, inside.waitsFor);
    if (forPerson || holdsForPerson.has(failure.code))
      return stays("needs_person", null, sayFailure(forPerson?.failure ?? failure), { failure });
    return failed(task, failure);
  }
  if (open && tries + 1 < MAX_IDLE_RUNS)
    return stays("waiting", ending.kind === "stopped" && !ending.retryAt ? 0 : 1000, "", {
      tries: ending.kind === "stopped" ? tries : tries + 1,
    });
  if (forPerson)
    return stays("needs_person", null, sayFailure(forPerson.failure ?? { code: "episode.in_doubt", detail: "" }), {
      failure: forPerson.failure,
    });
  const first = episodes.find((episode) => episode.failure && !isPosted(episode))?.failure;
  return failed(task, first ?? { code: "farm.bug", detail: "the run ended without a reason" });
}

/** For how long, and why, work waits inside the farm; null: this is no reason to. */
export function waitInside(failure: FailureData, retryAt: Date | null, now: Date): { againMs: number; waitsFor: string } | null {
  if (!waitsInside.has(failure.code)) return null;
  const againMs = retryAt ? Math.max(1000, retryAt.getTime() - now.getTime()) : WAIT_INSIDE_MS;
  return { againMs, waitsFor: `${sayFailure(failure)} Next try ${timeOf(now, againMs)}.` };
}

/** "at 08:15:00 UTC", with the day where it is another one. */
export function timeOf(now: Date, afterMs: number): string {
  const at = new Date(now.getTime() + afterMs).toISOString();
  const [day, time] = [at.slice(0, 10), at.slice(11, 19)];
  return now.toISOString().startsWith(day) ? `at ${time} UTC` : `on ${day} at ${time} UTC`;
}

/** `/complete`, then `/account`: in this order, and only with all N posted. */
export function completion(task: TaskView): Report[] {
  const links = task.episodes.map((episode) => [episode.episode_id, episode.link ?? ""] as const);
  const first = links.map(([, link]) => link).find((link) => URL.canParse(link)) ?? task.linkRss ?? task.fallbackLink;
  const note = JSON.stringify(Object.fromEntries(links));
  const account = { ...(task.linkRss && { link_rss: task.linkRss }), ...(task.cookie && { cookie: task.cookie }) };
  return [
    { kind: "complete", link_post: first, ...(note.length <= 100_000 && { note }) },
    ...(Object.keys(account).length > 0 ? [{ kind: "account" as const, ...account }] : []),
  ];
}

const MAX_MESSAGE = 10_000;
/** Characters. The manager takes bodies up to 1 MiB. */
const MAX_LINKS = 500_000;

/** Which are on the site matters more than where: an address that would keep the report from getting through is left away. */
function linksOf(posted: readonly EpisodeView[]): Record<string, string> {
  const named = posted.filter(({ episode_id: id }) => id.length <= postedLimits.id).slice(0, postedLimits.entries);
  const links = named.map(({ episode_id, link }) => [episode_id, link && link.length <= postedLimits.link ? link : ""] as const);
  const isLong = JSON.stringify(links).length > MAX_LINKS;
  return Object.fromEntries(isLong ? links.map(([id]) => [id, ""]) : links);
}

function failed(task: TaskView, failure: FailureData): Judgement {
  const posted = task.episodes.filter(isPosted);
  const refused = task.episodes.filter((episode) => episode.state === "failed" && episode.failure);
  const which = ({ title }: EpisodeView): string => (task.isImport ? "" : `"${title.slice(0, 100)}": `);
  const sentences = refused.map((episode) => `${which(episode)}${sayFailure(episode.failure as FailureData)}`);
  if (!refused.some((episode) => episode.failure?.code === failure.code && episode.failure.detail === failure.detail))
    sentences.unshift(sayFailure(failure));
  const codes = [failure.code, ...refused.map((episode) => (episode.failure as FailureData).code)];
  const done = task.isImport ? "Not imported." : `${posted.length}/${task.episodes.length} posted.`;
  const message = `${done} ${sentences.join(" ")}`.slice(0, MAX_MESSAGE);
  return {
    state: "failed",
    reports: [
      {
        kind: "fail",
        error_message: message,
        code: failure.code,
        retry: codes.some((code) => failures[code].retry !== "never"),
        ...(posted.length > 0 && !task.isImport && { posted: linksOf(posted) }),
      },
    ],
    againMs: null,
    failure,
    waitsFor: "",
    tries: 0,
  };
}
