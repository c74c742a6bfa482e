import { sayFailure, type FailureData } from "../contract/failures.ts";
import type { TaskState } from "../contract/states.ts";
import type { Assignment } from "../contract/task.ts";
import { isCheck } from "./checks.ts";
import type { TaskRun } from "./task-run.ts";
import { heldTaskStates, type EpisodeRow, type TaskRow } from "./tables.ts";
import type { OutboxCounts } from "./outbox.ts";

export interface RunningTask {
  taskId: string;
  kind: Assignment["kind"];
  account: string;
  site: string;
  /** From 1; 0 before the first episode. */
  position: number;
  total: number;
  step: string;
  detail: string;
  /** Epoch ms at which this step began. */
  since: number;
}

export interface WaitingPerson {
  taskId: string;
  account: string;
  site: string;
  /** null: it is the account itself that needs somebody. */
  episodeId: string | null;
  title: string;
  why: string;
  evidence: readonly string[];
  /** A person can go on in the account's own browser session: `podcrew hand-over`. */
  handOver: boolean;
}

/** What the farm does at this moment, and why it waits. */
export interface FarmStatus {
  instance: string;
  /** Name of the first source; null: nothing is pulled. */
  source: string | null;
  /** Of all of them. */
  sources: readonly string[];
  draining: boolean;
  running: RunningTask[];
  tasks: Partial<Record<TaskState, number>>;
  /** Sign-ins that the manager wants tried. */
  checks: { running: number; waiting: number };
  /** One sentence each; empty when work flows. */
  waits: string[];
  outbox: { pending: number; refused: number; oldest: string | null };
  needsPerson: WaitingPerson[];
}

export function runningTask(run: TaskRun): RunningTask {
  const { kind, position, total, step, detail, since } = run;
  return { taskId: run.task.id, kind, account: run.task.account_name, site: run.card.site, position, total, step, detail, since };
}

export function outboxStatus({ pending, refused, oldest }: OutboxCounts): FarmStatus["outbox"] {
  return { pending, refused, oldest: oldest?.toISOString() ?? null };
}

/** "manager answers 429, next pull in 12 s" */
export function sayWait(why: string, until: number, now: number): string {
  return `${why}; next pull in ${Math.max(0, Math.round((until - now) / 1000))} s`;
}

/** Tasks that wait for a time or for a reason, one sentence each. */
export function sayTaskWaits(tasks: readonly TaskRow[]): string[] {
  return tasks
    .filter((task) => task.waits_for !== "" && (task.state === "waiting" || task.state === "unsure"))
    .map((task) => `${isCheck(task.data) ? "the check of " : ""}${task.account_name} at ${task.site}: ${task.waits_for}`);
}

export function countChecks(held: readonly TaskRow[]): FarmStatus["checks"] {
  const checks = held.filter(({ data }) => isCheck(data));
  const running = checks.filter(({ state }) => heldTaskStates.includes(state)).length;
  return { running, waiting: checks.length - running };
}

/** Nothing starts on the account until somebody says that it may. */
export function stoppedAccount(task: TaskRow, failure: FailureData): WaitingPerson {
  const { id: taskId, account_name: account, site } = task;
  return {
    taskId,
    account,
    site,
    episodeId: null,
    title: "the account stands still",
    why: sayFailure(failure),
    evidence: failure.evidence ?? [],
    handOver: failure.code === "account.challenged",
  };
}

export function waitingPersons(task: TaskRow, episodes: readonly EpisodeRow[]): WaitingPerson[] {
  const who = { taskId: task.id, account: task.account_name, site: task.site };
  const open = episodes.filter((episode) => episode.state === "needs_person");
  if (open.length === 0)
    return [
      {
        ...who,
        episodeId: null,
        title: "",
        why: task.failure ? sayFailure(task.failure) : task.waits_for,
        evidence: task.failure?.evidence ?? [],
        handOver: task.failure?.code === "account.challenged",
      },
    ];
  return open.map((episode) => ({
    ...who,
    episodeId: episode.episode_id,
    title: episode.title,
    why: episode.failure ? sayFailure(episode.failure) : "",
    evidence: episode.failure?.evidence ?? [],
    handOver: false,
  }));
}
