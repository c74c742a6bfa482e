import { taskStatuses, type TaskView } from "../../contract/task-api.ts";
import type { LocalTaskRow } from "./tables.ts";

/** A task as the API shows it. @param note what it waits for */
export function viewOf(row: LocalTaskRow, note: string | undefined): TaskView {
  return {
    id: row.id,
    serial: row.serial,
    username: row.username,
    script_name: row.script_name,
    script_config: row.script_config,
    source: row.source,
    status: taskStatuses.indexOf(row.state),
    start_time: row.start_time,
    error: row.error || null,
    result: row.result,
    created_at: row.created_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
    starts_at: row.start_at?.toISOString() ?? null,
    note: note ?? null,
  };
}
