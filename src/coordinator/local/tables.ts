import type { ColumnType, Generated, JSONColumnType, Selectable } from "kysely";
import type { TaskSource, TaskStatus } from "../../contract/task-api.ts";
import type { WorkerEpisode } from "../../contract/worker-api.ts";

/** An account of the farm's own book. What names it never changes: episodes are told apart by it. */
export interface LocalAccountTable {
  /** A UUID. */
  id: string;
  /** Of its site, with a port that is not the default. */
  host: string;
  /** E-mail, or the name where there is none. */
  login: string;
  email: string;
  username: string;
  /** A manager's id of the same account; "": none. */
  account_id: string;
  /** Its slot. */
  serial: string;
  sealed_secrets: string;
  /** In which order they came. */
  place: Generated<number>;
  created_at: Date;
  updated_at: Date;
}

export interface LocalTaskTable {
  id: Generated<number>;
  /** Of the account. */
  account: string;
  serial: string;
  /** As it was asked for. */
  username: string;
  script_name: string;
  script_config: JSONColumnType<Record<string, unknown>>;
  source: TaskSource;
  state: TaskStatus;
  /** Grows with every retry; the ledger knows each by a name of its own. */
  attempt: Generated<number>;
  /** "HH:MM", as it was asked for. */
  start_time: string | null;
  /** Not before. */
  start_at: Date | null;
  /** What the script made of its configuration, once: a retry posts the same. */
  episodes: JSONColumnType<WorkerEpisode[]>;
  error: Generated<string>;
  result: ColumnType<LocalResult | null, string | null, string | null>;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/** What is on the site. */
export interface LocalResult {
  links: string[];
  link_rss: string | null;
}

export interface LocalTables {
  local_accounts: LocalAccountTable;
  local_tasks: LocalTaskTable;
}

export type LocalAccountRow = Selectable<LocalAccountTable>;
export type LocalTaskRow = Selectable<LocalTaskTable>;
