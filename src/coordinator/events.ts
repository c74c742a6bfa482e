import type { FailureData } from "../contract/failures.ts";
import type { TaskState } from "../contract/states.ts";
import type { Report } from "../contract/worker-api.ts";

/** How a piece of work moved, and why. */
interface Move {
  taskId: string;
  state: TaskState;
  account: string;
  site: string;
  failure: FailureData | null;
  why: string;
}

/** What a display may want to know as it happens. */
export interface FarmEvents {
  task: [Move];
  /** The same of a check: "completed", the sign-in works; "failed", it does not. */
  check: [Move];
  step: [{ taskId: string; position: number; total: number; step: string; detail: string }];
  posted: [{ taskId: string; episodeId: string; title: string; link: string }];
  reported: [{ taskId: string; report: Report }];
  /** Something that must never be: one episode twice on a site. */
  alarm: [{ taskId: string; episodeId: string; failure: FailureData }];
}
