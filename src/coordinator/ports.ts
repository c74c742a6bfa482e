import type { Assignment, AssignmentResult, CoordinatorCalls, DriverCard, PreparedEpisode } from "../contract/task.ts";
import type { ScriptAnswer } from "../contract/task-api.ts";
import type { WorkerEpisode } from "../contract/worker-api.ts";

/** An assignment under way in a worker. */
export interface RunningAssignment {
  /** Rejects only when the worker died under it; every other failure is an answer. */
  readonly result: Promise<AssignmentResult>;
  /** Asks the worker to stop at its next safe point, and to close the context 5 s later. */
  cancel(reason: string): void;
  /** Ends the worker thread with all that runs in it. */
  kill(): Promise<void>;
}

/** Where assignments run. */
export interface WorkerPool {
  /** @param how alone: in a thread of its own that ends afterwards, whatever a driver does in it */
  describe(
    modules: readonly string[],
    how?: { alone: boolean },
  ): Promise<{ cards: DriverCard[]; problems: { module: string; message: string }[] }>;
  /** @param alone in a thread of its own: the task is suspected of having killed one */
  run(assignment: Assignment, calls: CoordinatorCalls, alone: boolean): RunningAssignment;
  /** Runs a driver's script for so many accounts, in a thread of its own that ends afterwards. Absent: there are none. */
  script?(module: string, script: string, config: unknown, count: number): Promise<ScriptAnswer>;
  close(): Promise<void>;
}

export interface Preparation {
  prepared: PreparedEpisode;
  /** What was changed to fit the site, one sentence each. */
  fixes: string[];
}

export interface PreparationRequest {
  /** "import": the episode is a feed, and its id the feed's address. */
  kind: "post" | "import";
  episode: WorkerEpisode;
  limits: DriverCard["limits"];
  marker: string;
  onProgress: (text: string) => void;
  signal: AbortSignal;
}

/** Makes an episode's files. @throws Failure content.* or farm.narration */
export type Prepare = (request: PreparationRequest) => Promise<Preparation>;

/** Whether an episode can be prepared at all, without making anything yet. @throws Failure content.* */
export type Preflight = (request: PreparationRequest) => Promise<void>;

/** null: the data folder can be written; else why not. */
export type DiskProbe = () => Promise<string | null>;

/** The one source of randomness, in [0, 1). */
export type Random = () => number;
