import type { MessagePort } from "node:worker_threads";
import type { FailureData } from "../contract/failures.ts";
import type { AudioFacts } from "./audio.ts";
import type { Conversion } from "./convert.ts";
import type { CoverLimits, FittedCover } from "./cover.ts";
import type { Narration, NarrationFacts } from "./narrate.ts";

/** Everything that crosses between the pool and its threads: plain data. */
export interface Jobs {
  narrate: { input: Narration; output: NarrationFacts };
  cover: { input: { inputPath: string; limits: CoverLimits; outPath: string }; output: FittedCover };
  convert: { input: Conversion; output: undefined };
  probe: { input: { path: string }; output: AudioFacts };
}

export type JobName = keyof Jobs;

export interface JobCall<Name extends JobName = JobName> {
  name: Name;
  input: Jobs[Name]["input"];
  /** Progress comes out, `cancel` goes in. */
  port: MessagePort;
}

/** From a thread. */
export type JobNews = { kind: "started" } | { kind: "progress"; share: number };

/** An Error loses its class on the way, so failures travel as rows; null: the job was canceled. */
export type JobResult<Name extends JobName = JobName> =
  | { ok: true; value: Jobs[Name]["output"] }
  | { ok: false; failure: FailureData | null };
