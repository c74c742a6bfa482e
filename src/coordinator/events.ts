import type { FailureData } from "../contract/failures.ts";
import type { TaskState } from "../contract/states.ts";
import type { Report } from "../contract/worker-api.ts";

/** What a display may want to know as it happens. */
export interface FarmEvents {
  task: [{ taskId: string; state: TaskState; account: string; site: string; failure: FailureData | null; why: string }];
  step: [{ taskId: string; position: number; total: number; step: string; detail: string }];
  posted: [{ taskId: string; episodeId: string; title: string; link: string }];
  reported: [{ taskId: string; report: Report }];
  /** Something that must never be: one episode twice on a site. */
  alarm: [{ taskId: string; episodeId: string; failure: FailureData }];
}
