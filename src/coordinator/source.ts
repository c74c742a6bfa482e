import type { Report, WorkerTask } from "../contract/worker-api.ts";

/** The farm's own tasks: the source of this name, and of no other. */
export const LOCAL = "local";

/** What ids in the ledger begin with, and whose they are: nobody's task can take the place of another source's. */
const reserved = { "local:": LOCAL, "check:": null } as const;

/** Whether a source may bring a task (no check) of this id. */
export function mayBring(source: string, taskId: string): boolean {
  const owner = Object.entries(reserved).find(([prefix]) => taskId.startsWith(prefix));
  return owner ? owner[1] === source : source !== LOCAL;
}

/** A pulled object that is no task: told back to the source where it at least has an id. */
export interface BrokenTask {
  id: string | null;
  why: string;
}

export type PullAnswer =
  | { kind: "tasks"; tasks: WorkerTask[]; broken: BrokenTask[] }
  /** Not now: it answers 429, or does not answer. `retryAfterMs` null: the caller's own back-off. */
  | { kind: "again"; why: string; retryAfterMs: number | null }
  /** The key is refused: a person has to act. */
  | { kind: "refused"; why: string };

export type ReadAnswer = { kind: "task"; task: WorkerTask } | { kind: "gone" } | { kind: "again"; why: string };

export type DeliverAnswer =
  | { kind: "delivered" }
  /** The source will never take it; the next report of the task goes on. */
  | { kind: "final"; why: string; gone: boolean }
  | { kind: "again"; why: string; retryAfterMs: number | null }
  | { kind: "refused"; why: string };

/** Where tasks come from and reports go to. No method throws; each has a deadline of its own. */
export interface Source {
  /** Stable across starts: tasks in the ledger belong to the source of this name. */
  readonly name: string;
  /** Nobody else is kept from what is pulled: it may wait here while all places are taken. */
  readonly unleased?: true;
  /** True where the source runs dry for good (a file), so that nothing needs to be pulled again. */
  readonly once: boolean;
  pull(limit: number, sites: readonly string[]): Promise<PullAnswer>;
  /** The same of feeds to be imported (`kind: "secondary"`); absent where none can come. */
  pullImports?(limit: number, sites: readonly string[]): Promise<PullAnswer>;
  /** The same of sign-ins to be tried (`kind: "check"`), under ids that no task has; absent where none can come. */
  pullChecks?(limit: number, sites: readonly string[]): Promise<PullAnswer>;
  read(taskId: string): Promise<ReadAnswer>;
  deliver(taskId: string, report: Report): Promise<DeliverAnswer>;
  close?(): Promise<void>;
}
