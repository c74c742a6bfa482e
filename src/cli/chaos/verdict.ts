import { table } from "../table.ts";

/** One publish request as the site handled it. `episode`: the marker (file name) it carried; `made`: it made a new visible copy. */
export interface SitePublish {
  episode: string;
  made: boolean;
  /** Epoch ms. */
  at: number;
}

/**
 * One episode that was asked for, and what the manager's history says of its task in the end.
 * `waitsForPerson`: what a person is shown of it. `waitsUntil`: the time that a person is shown, where the sign-in keeps its
 * distance after submits that were cut off, so that no account is locked. `mayFail`: this scenario allows that it ends as
 * failed or canceled.
 */
export interface AskedEpisode {
  episode: string;
  ended: "completed" | "failed" | "canceled" | "open";
  link: string;
  waitsForPerson: boolean;
  waitsUntil?: string | undefined;
  mayFail?: boolean;
}

/** What the site and the manager have seen; nothing here is the farm's own word but what it shows to a person. */
export interface ChaosEvidence {
  title: string;
  faults: number;
  publishes: SitePublish[];
  asked: AskedEpisode[];
  /** From each fault to the first sign that somebody took over, ms. */
  detectMs: number[];
  /** From each fault to the end of the work it broke, ms. */
  recoverMs: number[];
}

/** Of several times, ms; null where nothing was measured. */
export interface Times {
  median: number;
  max: number;
}

export interface ChaosVerdict {
  title: string;
  faults: number;
  episodes: number;
  duplicated: number;
  lost: number;
  limbo: number;
  inDoubt: number;
  /** `max`: the most requests that one episode caused. `repeated`: how many episodes caused more than one. */
  requestsPerEpisode: { max: number; repeated: number };
  detectMs: Times | null;
  recoverMs: Times | null;
  ok: boolean;
  /** A sentence each, naming the episode. */
  problems: string[];
  /** Beside the row: what was measured besides, or why the row says what it says. */
  note?: string;
}

interface Seen {
  asked: AskedEpisode;
  requests: number;
  copies: number;
}

/** Each kind of problem: which episodes have it, and how it is said. An episode has one at most of `lost` and `limbo`. */
const problemKinds = {
  duplicated: {
    has: ({ copies }: Seen) => copies > 1,
    say: ({ asked, copies }: Seen) => `${asked.episode} is on the site ${copies} times.`,
  },
  lost: {
    has: ({ asked, copies }: Seen) =>
      (asked.ended === "completed" && copies === 0) || ((asked.ended === "failed" || asked.ended === "canceled") && !asked.mayFail),
    say: ({ asked }: Seen) =>
      asked.ended === "completed"
        ? `${asked.episode} was reported as posted and is not on the site.`
        : `${asked.episode} ended as ${asked.ended}, and nothing here may fail.`,
  },
  limbo: {
    has: ({ asked, copies }: Seen) => asked.ended === "open" && !asked.waitsForPerson && (asked.waitsUntil === undefined || copies > 0),
    say: ({ asked, copies }: Seen) =>
      `${asked.episode} is ${copies > 0 ? "on the site and " : ""}neither reported nor waiting for a person.`,
  },
} as const;
type ProblemKind = keyof typeof problemKinds;

/**
 * Judges by what the site handled and what the manager was told. Duplicated: more than one visible copy. Lost: completed
 * without a copy, or ended otherwise where nothing may. Limbo: open, and neither is a person asked nor a time said at which it goes on. A publish request that the site
 * took as a harmless repeat counts in `requestsPerEpisode` only. Copies of what nobody asked for are a problem, too.
 */
export function judge(evidence: ChaosEvidence): ChaosVerdict {
  const seen = new Map<string, Seen>(evidence.asked.map((asked) => [asked.episode, { asked, requests: 0, copies: 0 }]));
  const strangers = new Set<string>();
  for (const { episode, made } of evidence.publishes) {
    const one = seen.get(episode);
    if (!one) strangers.add(episode);
    else {
      one.requests += 1;
      one.copies += made ? 1 : 0;
    }
  }
  const all = [...seen.values()];
  const problems: string[] = [];
  const count = (kind: ProblemKind): number => {
    const bad = all.filter((one) => problemKinds[kind].has(one));
    problems.push(...bad.map((one) => problemKinds[kind].say(one)));
    return bad.length;
  };
  const counts = { duplicated: count("duplicated"), lost: count("lost"), limbo: count("limbo") };
  for (const episode of strangers) problems.push(`${episode || "An episode without a mark"} was published, and nobody asked for it.`);
  if (all.length === 0) problems.push("No episode was asked for: nothing was shown.");
  return {
    title: evidence.title,
    faults: evidence.faults,
    episodes: all.length,
    ...counts,
    inDoubt: all.filter(({ asked }) => asked.ended === "open" && asked.waitsForPerson).length,
    requestsPerEpisode: {
      max: all.reduce((most, { requests }) => Math.max(most, requests), 0),
      repeated: all.filter(({ requests }) => requests > 1).length,
    },
    detectMs: timesOf(evidence.detectMs),
    recoverMs: timesOf(evidence.recoverMs),
    ok: problems.length === 0,
    problems,
  };
}

/** The same verdict with something more that went wrong; unchanged when there is nothing. */
export function withProblems(verdict: ChaosVerdict, more: readonly string[]): ChaosVerdict {
  const problems = [...verdict.problems, ...more];
  return { ...verdict, problems, ok: problems.length === 0 };
}

function timesOf(ms: readonly number[]): Times | null {
  if (ms.length === 0) return null;
  const sorted = [...ms].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)]!, max: sorted.at(-1)! };
}

const seconds = (times: Times | null): string => (times ? `${(times.median / 1000).toFixed(1)} / ${(times.max / 1000).toFixed(1)}` : "–");

/** What each column says of a verdict, from left to right. */
const columns: readonly (readonly [string, (verdict: ChaosVerdict) => string])[] = [
  ["", ({ ok }) => (ok ? "ok" : "FAIL")],
  ["scenario", ({ title }) => title],
  ["faults", ({ faults }) => String(faults)],
  ["episodes", ({ episodes }) => String(episodes)],
  ["duplicated", ({ duplicated }) => String(duplicated)],
  ["lost", ({ lost }) => String(lost)],
  ["limbo", ({ limbo }) => String(limbo)],
  ["in doubt", ({ inDoubt }) => String(inDoubt)],
  [
    "requests/episode",
    ({ requestsPerEpisode: { max, repeated } }) =>
      repeated > 0 ? `${max} (${repeated} ${repeated === 1 ? "episode" : "episodes"} > 1)` : String(max),
  ],
  ["noticed, s", ({ detectMs }) => seconds(detectMs)],
  ["done, s", ({ recoverMs }) => seconds(recoverMs)],
  ["", ({ note }) => note ?? ""],
];

/** One aligned table; times are median / longest. */
export function printVerdicts(verdicts: readonly ChaosVerdict[]): string {
  return table([columns.map(([name]) => name), ...verdicts.map((verdict) => columns.map(([, cell]) => cell(verdict)))]);
}
