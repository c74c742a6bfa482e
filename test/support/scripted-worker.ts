import type {
  Assignment,
  AssignmentResult,
  CoordinatorCalls,
  DriverCard,
  EpisodeRef,
  NextEpisode,
  SiteCopy,
} from "../../src/contract/task.ts";
import { toFailureData } from "../../src/contract/failures.ts";
import type { WorkerPool } from "../../src/coordinator/ports.ts";

/** The site's own, append-only history: it decides what was published, not the worker's word. */
export class ScriptedSite {
  readonly history: { marker: string; title: string; link: string }[] = [];
  readonly discarded: string[] = [];

  publish(marker: string, title: string): SiteCopy {
    const link = `https://studio.example.com/e/${this.history.length + 1}`;
    this.history.push({ marker, title, link });
    return { link, id: String(this.history.length) };
  }

  find(marker: string): SiteCopy[] {
    return this.history.flatMap((post, index) => (post.marker === marker ? [{ link: post.link, id: String(index + 1) }] : []));
  }
}

/** Points at which a test may step in: throw, wait, or act. */
export type Point =
  | "begin"
  | "sign-in"
  | "next"
  | "before-look"
  | "before-arm"
  | "after-arm"
  | "before-gate"
  | "after-send"
  | "before-proof"
  | "feed";
export interface At {
  taskId: string;
  calls: CoordinatorCalls;
  /** Absent before the first episode. */
  next?: Extract<NextEpisode, { kind: "episode" }>;
  site: ScriptedSite;
}
/** "die": the thread is gone. "unknown": the answer to the publish request is lost. "unsent": nothing left. */
export type Act = "die" | "hang" | "unknown" | "unsent" | void;
export type Script = (point: Point, at: At) => Act | Promise<Act>;

class Died extends Error {}

export const card: DriverCard = {
  site: "scripted",
  module: "scripted",
  hosts: ["studio.example.com"],
  tier: "drafts",
  settleMs: 120_000,
  concurrency: 2,
  login: "email",
  discards: false,
  imports: false,
  post: "browser",
  limits: {
    title: { maxCharacters: 100 },
    about: { tags: [], maxCharacters: 1000 },
    cover: { minPixels: 1400, maxPixels: 3000, maxBytes: 500_000 },
    audio: { formats: ["mp3"], maxBytes: 10_000_000 },
  },
};

export interface ScriptedPool extends WorkerPool {
  /** Assignments under way. */
  readonly running: Set<string>;
  readonly assignments: { assignment: Assignment; alone: boolean }[];
  peak: number;
}

/** A worker without a browser: the same conversation with the coordinator, against a site in memory. */
export function scriptedPool(site: ScriptedSite, script: Script = () => undefined, cards: DriverCard[] = [card]): ScriptedPool {
  const running = new Set<string>();
  const pool: ScriptedPool = {
    running,
    assignments: [],
    peak: 0,
    async describe() {
      return { cards, problems: [] };
    },
    run(assignment, calls, alone) {
      pool.assignments.push({ assignment, alone });
      running.add(assignment.taskId);
      pool.peak = Math.max(pool.peak, running.size);
      const killed = Promise.withResolvers<never>();
      const result = Promise.race([work(assignment, acrossAPort(calls), site, script), killed.promise]).finally(() =>
        running.delete(assignment.taskId),
      );
      result.catch(() => undefined);
      return { result, cancel: () => undefined, kill: async () => killed.reject(new Error("the thread was ended")) };
    },
    async close() {},
  };
  return pool;
}

/** As a real worker hears them: an error comes through a port by structured clone, with its message and nothing else of its own. */
function acrossAPort(calls: CoordinatorCalls): CoordinatorCalls {
  const heard = Object.entries(calls).map(([name, call]: [string, (...args: never[]) => unknown]) => [
    name,
    async (...args: never[]) => {
      try {
        return await call(...args);
      } catch (error) {
        throw structuredClone(error);
      }
    },
  ]);
  return Object.fromEntries(heard) as CoordinatorCalls;
}

async function work({ taskId, kind }: Assignment, calls: CoordinatorCalls, site: ScriptedSite, script: Script): Promise<AssignmentResult> {
  const at = async (point: Point, next?: At["next"]): Promise<Act> => {
    const act = await script(point, { taskId, calls, site, ...(next && { next }) });
    if (act === "hang") await new Promise(() => undefined);
    if (act === "die") throw new Died("the thread died");
    return act;
  };
  try {
    await at("begin");
    await at("sign-in");
    if (kind === "check") return { outcome: "done" };
    for (;;) {
      await at("next");
      const next = await calls.next();
      if (next.kind === "stop") return { outcome: "stopped" };
      if (next.kind === "finish") {
        await at("feed");
        if (kind === "post") await calls.feed("https://studio.example.com/feed.xml");
        return { outcome: "done" };
      }
      if (next.kind === "discard") {
        site.discarded.push(next.draftId);
        await calls.discarded(next.episode.id, next.draftId);
        continue;
      }
      await post(next, calls, site, at);
    }
  } catch (error) {
    if (error instanceof Died) throw error;
    return { outcome: "failed", failure: toFailureData(error) };
  }
}

async function post(
  next: Extract<NextEpisode, { kind: "episode" }>,
  calls: CoordinatorCalls,
  site: ScriptedSite,
  at: (point: Point, next?: At["next"]) => Promise<Act>,
): Promise<void> {
  const ref: EpisodeRef = { episodeId: next.episode.id, fence: next.fence };
  await at("before-look", next);
  const looked = await calls.looked(ref, { copies: site.find(next.episode.marker) });
  if (!looked.go || next.purpose !== "post") return;
  await calls.drafted(ref, `draft-${next.episode.id}`);
  await at("before-arm", next);
  if (!(await calls.arm(ref)).armed) return;
  if ((await at("after-arm", next)) === "unsent") return calls.sent(ref, { kind: "unsent", why: "connection refused" });
  await at("before-gate", next);
  if (!(await calls.gate(ref)).pass) return calls.sent(ref, { kind: "unsent", why: "the gate was shut" });
  const copy = site.publish(next.episode.marker, next.episode.title);
  if ((await at("after-send", next)) === "unknown") return calls.sent(ref, { kind: "unknown", why: "no answer to the publish request" });
  await at("before-proof", next);
  await calls.sent(ref, { kind: "proof", copy, httpStatus: 200 });
}
