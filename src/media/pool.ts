import { MessageChannel } from "node:worker_threads";
import { Piscina } from "piscina";
import { Failure } from "../contract/failures.ts";
import type { Log } from "../kit/log.ts";
import type { JobCall, JobName, JobNews, JobResult, Jobs } from "./jobs.ts";
import { BUILT_IN_VOICE } from "./voice.ts";

export interface MediaPoolOptions {
  /** Narrations, conversions and covers at a time; each takes one core. */
  threads: number;
  log: Log;
  /** A command line or an http(s) address that narrates (see voice.ts); absent: the built-in voice. */
  voiceCommand?: string | undefined;
}

export interface JobOptions {
  /** 0..1 */
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

/** The lane for work that keeps a core busy, away from the thread that answers. Failures come back as Failure, a cancel as the signal's reason. */
export interface MediaPool {
  /** Names the voice and its version: what is kept of its work is kept under this name. */
  readonly voiceName: string;
  narrate(narration: Omit<Jobs["narrate"]["input"], "voiceCommand">, options?: JobOptions): Promise<Jobs["narrate"]["output"]>;
  fitCover(input: Jobs["cover"]["input"], options?: JobOptions): Promise<Jobs["cover"]["output"]>;
  convert(input: Jobs["convert"]["input"], options?: JobOptions): Promise<void>;
  probe(path: string, options?: JobOptions): Promise<Jobs["probe"]["output"]>;
  /** Cancels what runs, waits for its end, ends the threads and the programs they started. */
  close(): Promise<void>;
}

/** How long a canceled job may take to end by itself before its thread is ended, ms. */
const GRACE_MS = 5000;
const IDLE_MS = 20_000;

export function openMediaPool(options: MediaPoolOptions): MediaPool {
  const { log } = options;
  const voiceCommand = options.voiceCommand || null;
  const piscina = new Piscina<JobCall, JobResult>({
    filename: new URL(import.meta.url.endsWith(".ts") ? "./entry.ts" : "./entry.js", import.meta.url).href,
    name: "run",
    minThreads: 0,
    maxThreads: Math.max(1, options.threads),
    idleTimeout: IDLE_MS,
    // The default freezes an idle thread's event loop.
    atomics: "disabled",
  });
  /** One a job, not `AbortSignal.any` with one of the pool: that would keep a mark of every job for as long as the pool lives. */
  const stops = new Set<AbortController>();
  let closed = false;
  const running = new Set<Promise<unknown>>();

  async function run<Name extends JobName>(name: Name, input: Jobs[Name]["input"], job: JobOptions = {}): Promise<Jobs[Name]["output"]> {
    if (closed) throw new Failure("farm.stopping");
    job.signal?.throwIfAborted();
    const stop = new AbortController();
    const follow = (): void => stop.abort(job.signal?.reason);
    job.signal?.addEventListener("abort", follow, { once: true });
    stops.add(stop);
    const startedAt = performance.now();
    const work = runJob(piscina, { name, input }, job.onProgress ?? (() => undefined), stop.signal);
    running.add(work);
    try {
      return await work;
    } finally {
      job.signal?.removeEventListener("abort", follow);
      stops.delete(stop);
      running.delete(work);
      log.debug(`media: ${name} took ${Math.round(performance.now() - startedAt)} ms`);
    }
  }

  return {
    voiceName: voiceCommand ?? BUILT_IN_VOICE,
    narrate: async (narration, job) => run("narrate", { ...narration, voiceCommand }, job),
    fitCover: async (input, job) => run("cover", input, job),
    convert: async (input, job) => run("convert", input, job),
    probe: async (path, job) => run("probe", { path }, job),
    async close() {
      closed = true;
      for (const stop of stops) stop.abort(new Failure("farm.stopping"));
      await Promise.allSettled(running);
      await piscina.destroy();
    },
  };
}

async function runJob<Name extends JobName>(
  piscina: Piscina<JobCall, JobResult>,
  { name, input }: { name: Name; input: Jobs[Name]["input"] },
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Jobs[Name]["output"]> {
  const { port1: ours, port2: theirs } = new MessageChannel();
  const last = new AbortController();
  let started = false;
  let grace: NodeJS.Timeout | undefined;
  ours.on("message", (news: JobNews) => {
    if (news.kind === "started") started = true;
    else onProgress(news.share);
  });
  // The ladder: ask; after a while end the thread. A job that still waits in line is just taken out of it.
  const cancel = (): void => {
    if (!started) return last.abort();
    ours.postMessage("cancel");
    grace = setTimeout(() => last.abort(), GRACE_MS);
  };
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const result = (await piscina.run({ name, input, port: theirs }, { transferList: [theirs], signal: last.signal })) as JobResult<Name>;
    if (result.ok) return result.value;
    signal.throwIfAborted();
    throw result.failure
      ? new Failure(result.failure.code, result.failure.detail)
      : new Failure("farm.bug", `${name} was canceled by nobody`);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof Failure
      ? error
      : new Failure("farm.bug", `the media thread ended: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(grace);
    signal.removeEventListener("abort", cancel);
    ours.close();
  }
}
