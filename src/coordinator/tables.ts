import type { ColumnType, Generated, JSONColumnType, Kysely, Selectable } from "kysely";
import type { FailureData } from "../contract/failures.ts";
import type { EpisodeState, TaskState } from "../contract/states.ts";
import type { PreparedEpisode } from "../contract/task.ts";
import type { Report, WorkerTask } from "../contract/worker-api.ts";
import type { LocalTables } from "./local/tables.ts";

/** The tables of schema `farm`. Secrets stand sealed, in columns that say so. */
type Json<T extends object> = JSONColumnType<T>;
type MaybeJson<T> = ColumnType<T | null, string | null, string | null>;
/** Set by the ledger's clock, never by the database's. */
type Time = Date;

export interface TaskTable {
  id: string;
  source: string;
  account_key: string;
  /** What the site knows the account by, whichever source brings it; "": nothing, or from before that was written down. */
  login_key: Generated<string>;
  site: string;
  host: string;
  /** Who it is, for people: e-mail or name. */
  account_name: string;
  state: TaskState;
  priority: number;
  /** Ids in the order of posting. */
  episode_ids: Json<string[]>;
  /** The task as pulled, its credentials blanked out. */
  data: Json<WorkerTask>;
  sealed_credentials: string;
  link_rss: string | null;
  /** Threads that died under it since the source handed it out. */
  worker_deaths: Generated<number>;
  /** Runs in a row that ended without progress. */
  tries: Generated<number>;
  failure: MaybeJson<FailureData>;
  /** Why it does not run now; "" when nothing holds it. */
  waits_for: Generated<string>;
  not_before: Time | null;
  /** Last `/start` that the source took. */
  renewed_at: Time | null;
  created_at: Time;
  updated_at: Time;
}

export interface EpisodeTable {
  account_key: string;
  episode_id: string;
  task_id: string;
  title: string;
  marker: string;
  state: EpisodeState;
  /** Grows with every holder; a call with an older one is refused. */
  fence: Generated<number>;
  holder: string | null;
  lease_until: Time | null;
  armed_at: Time | null;
  /** How long after `armed_at` nothing can be on its way any more. */
  settle_ms: number | null;
  /** In doubt: not looked up before. */
  due: Time | null;
  /** Ids seen on the site before arming. */
  baseline: MaybeJson<string[]>;
  draft_id: string | null;
  link: string | null;
  site_id: string | null;
  /** How many copies the site showed after the proof; null: not counted yet. */
  copies: number | null;
  /** Times armed whose request may have left. */
  attempts: Generated<number>;
  failure: MaybeJson<FailureData>;
  fixes: MaybeJson<string[]>;
  prepared: MaybeJson<PreparedEpisode>;
  updated_at: Time;
}

export interface OutboxTable {
  seq: Generated<number>;
  task_id: string;
  kind: Report["kind"];
  /** An account's cookie stands sealed in it. */
  report: Json<Report>;
  state: Generated<"pending" | "delivered" | "refused">;
  attempts: Generated<number>;
  due: Time;
  why: Generated<string>;
  created_at: Time;
  settled_at: Time | null;
}

export interface SessionTable {
  account_key: string;
  sealed_state: string;
  sealed_cookie: string;
  saved_at: Time;
  /** When the farm typed the credentials that began it; null: it did not. */
  signed_in_at: Time | null;
  /** When the site last knew it. */
  checked_at: Time | null;
  /** By the site's own cookies; null: they don't say. */
  expires_at: Time | null;
  /** The site no longer knew it. */
  ended: Generated<boolean>;
  /** Where the browser was stopped, for a person to go on there. */
  sealed_page: string | null;
}

export interface SubmitTable {
  id: Generated<number>;
  account_key: string;
  site: string;
  /** Which credentials: a slow hash. */
  version: string;
  /** Which of the accounts with this login; null: from before that was written down. */
  made_by: string | null;
  /** Nothing was to be posted. */
  by_check: Generated<boolean>;
  at: Time;
  /** unjudged: surely nothing was sent. */
  verdict: "accepted" | "refused" | "unclear" | "unjudged" | null;
}

/** Accounts on which nothing starts until a person has looked: a promise was broken there, or the site asks for a person. */
export interface StoppedAccountTable {
  account_key: string;
  /** It holds for whoever has this login. "": not known. */
  login_key: Generated<string>;
  /** In whose run it was noticed. */
  task_id: string;
  failure: Json<FailureData>;
  at: Time;
}

export interface SiteSlotTable {
  site: string;
  slot: number;
  holder: string | null;
  task_id: string | null;
  lease_until: Time | null;
}

export interface FarmTables extends LocalTables {
  tasks: TaskTable;
  episodes: EpisodeTable;
  outbox: OutboxTable;
  sessions: SessionTable;
  totp_steps: { seed_hash: string; step: number; taken_at: Time };
  mailed_codes: { code_hash: string; taken_at: Time };
  credential_submits: SubmitTable;
  refused_mailboxes: { version: string; site: string; at: Time };
  site_slots: SiteSlotTable;
  stopped_accounts: StoppedAccountTable;
  /** One row. */
  fleet: { one: boolean; name: string };
}

export type Database = Kysely<FarmTables>;
export type TaskRow = Selectable<TaskTable>;
export type EpisodeRow = Selectable<EpisodeTable>;
export type OutboxRow = Selectable<OutboxTable>;

/** Of tasks that the farm still has to do with. */
export const activeTaskStates: readonly TaskState[] = ["waiting", "claimed", "running", "unsure", "needs_person"];
/** In somebody's hands. */
export const heldTaskStates: readonly TaskState[] = ["claimed", "running"];
