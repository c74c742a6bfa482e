import { taskStateToWorkerApi, type TaskState } from "../../src/contract/states.ts";
import type { Report, WorkerTask } from "../../src/contract/worker-api.ts";
import type { DeliverAnswer, PullAnswer, ReadAnswer } from "../../src/coordinator/source.ts";
import type { Caller } from "../../src/manager/caller.ts";
import { isHeld, LEASE_MS } from "../../src/manager/lease.ts";
import { complete, fail, start, type Move } from "../../src/manager/moves.ts";
import { episodesToPost, type PostedEpisode } from "../../src/manager/posted.ts";
import type { Timeline } from "./timeline.ts";

/** What the moves of the manager read and write of a task. */
interface Link {
  state: TaskState;
  holder: string | null;
  lease_until: Date | null;
  next_at: Date | null;
  started_by: string[];
  started_at: Date | null;
  link_post: string;
  note: string;
  posted: PostedEpisode[];
  error_message: string;
  retry_count: number;
  max_retries: number;
}
type LinkRow = Parameters<typeof start>[0];

/** A report that changed something. Append-only: with the site's history it decides the verdict. */
export interface Accepted {
  task: string;
  farm: string;
  report: Report;
  at: number;
}

export interface Book {
  readonly task: WorkerTask;
  link: Link;
  gone: boolean;
}

const jsonColumns: ReadonlySet<string> = new Set(["started_by", "posted"]);

/**
 * The manager, by its own rules (src/manager/moves.ts); only what holds its rows is simulated. Without leases it is a foreign
 * one: every task goes to whoever asks, and everybody's word is taken.
 */
export class SimulatedManager {
  readonly #timeline: Timeline;
  readonly #leases: boolean;
  readonly #onAccepted: (accepted: Accepted) => void;
  readonly books = new Map<string, Book>();
  readonly accepted: Accepted[] = [];

  constructor(timeline: Timeline, leases: boolean, onAccepted: (accepted: Accepted) => void) {
    this.#timeline = timeline;
    this.#leases = leases;
    this.#onAccepted = onAccepted;
  }

  add(task: WorkerTask): void {
    const link: Link = {
      state: "waiting",
      holder: null,
      lease_until: null,
      next_at: null,
      started_by: [],
      started_at: null,
      link_post: "",
      note: "",
      posted: [],
      error_message: "",
      retry_count: 0,
      max_retries: 3,
    };
    this.books.set(task.id, { task, link, gone: false });
  }

  /** A person takes a task away: it is shown as canceled, or not at all any more. */
  cancel(taskId: string, gone: boolean): void {
    const book = this.books.get(taskId);
    if (!book || book.link.state === "completed") return;
    Object.assign(book.link, { state: "canceled", next_at: null });
    book.gone = gone;
  }

  pull(farm: string, limit: number): PullAnswer {
    const tasks: WorkerTask[] = [];
    const now = this.#now();
    for (const book of this.books.values()) {
      const { state, holder, next_at: nextAt } = book.link;
      if (book.gone || !["waiting", "claimed", "running"].includes(state) || (nextAt && nextAt > now) || tasks.length >= limit) continue;
      if (this.#leases && isHeld(book.link, now) && holder !== holderOf(farm)) continue;
      if (this.#leases) Object.assign(book.link, { holder: holderOf(farm), lease_until: new Date(now.getTime() + LEASE_MS) });
      if (this.#leases && !isHeld({ ...book.link, state }, now)) book.link.state = "claimed";
      if (this.#leases && state === "waiting") book.link.state = "claimed";
      tasks.push(shown(book));
    }
    return { kind: "tasks", tasks, broken: [] };
  }

  read(taskId: string): ReadAnswer {
    const book = this.books.get(taskId);
    return !book || book.gone ? { kind: "gone" } : { kind: "task", task: shown(book) };
  }

  /** A report arrives. @returns what the farm is told, if it hears it */
  take(farm: string, taskId: string, report: Report): DeliverAnswer {
    const book = this.books.get(taskId);
    if (!book || book.gone) return { kind: "final", why: "404 task not found", gone: true };
    const move = this.#leases ? this.#judge(book, report, farm) : anybodys(book, report, this.#now());
    if ("refuse" in move) return { kind: "final", why: `409 ${move.refuse}`, gone: false };
    if ("repeated" in move) return { kind: "delivered" };
    const before = book.link.state;
    for (const [column, value] of Object.entries(move.change))
      if (column in book.link)
        Object.assign(book.link, { [column]: jsonColumns.has(column) ? (JSON.parse(value as string) as unknown) : value });
    if (report.kind !== "start" || before !== book.link.state) {
      const accepted: Accepted = { task: taskId, farm, report, at: this.#timeline.now };
      this.accepted.push(accepted);
      this.#onAccepted(accepted);
    }
    return { kind: "delivered" };
  }

  #judge(book: Book, report: Report, farm: string): Move {
    const caller: Caller = { keyId: "key", worker: farm, name: farm, holder: holderOf(farm) };
    const link = { ...book.link, episodes: book.task.data_content } as unknown as LinkRow;
    if (report.kind === "start") return start(link, caller, this.#now());
    if (report.kind === "complete") return complete(link, report, caller, this.#now());
    if (report.kind === "fail") return fail(link, report, caller, this.#now());
    return { change: {} };
  }

  #now(): Date {
    return new Date(this.#timeline.now);
  }
}

function holderOf(farm: string): string {
  return `key/${farm}`;
}

/** A manager that knows no holders. */
function anybodys({ link }: Book, report: Report, now: Date): Move {
  const over = link.state === "completed" || link.state === "failed" || link.state === "canceled";
  if (report.kind === "account") return { change: {} };
  if (report.kind === "check") return { refuse: "bad_transition" };
  if (report.kind === "start") return over ? { refuse: "bad_transition" } : { change: { state: "running" } };
  if (report.kind === "complete") {
    if (link.state !== "completed") return { change: { state: "completed", link_post: report.link_post, note: report.note ?? "" } };
    return link.link_post === report.link_post ? { repeated: true } : { refuse: "link_post_differs" };
  }
  if (over) return link.error_message === report.error_message ? { repeated: true } : { refuse: "bad_transition" };
  const last = !report.retry || link.retry_count >= link.max_retries;
  return {
    change: last
      ? { state: "failed", error_message: report.error_message }
      : {
          state: "waiting",
          error_message: report.error_message,
          retry_count: link.retry_count + 1,
          next_at: new Date(now.getTime() + 60_000),
        },
  };
}

function shown({ task, link }: Book): WorkerTask {
  return {
    ...task,
    data_content: episodesToPost({ episodes: task.data_content, posted: link.posted }),
    status: taskStateToWorkerApi[link.state],
  };
}
