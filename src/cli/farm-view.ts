import type { Farm } from "../coordinator/farm.ts";
import { showProgress, type Progress } from "./progress.ts";

/** The live display of a farm: a line per running task, else why nothing runs. Without a terminal each step is a log line. */
export function showFarm(farm: () => Farm | undefined): Progress {
  return showProgress(
    () => (farm()?.status().running ?? []).map((task) => ({ ...task, step: task.detail ? `${task.step}: ${task.detail}` : task.step })),
    () => farm()?.status().waits[0] ?? null,
  );
}
