import type { Database, SeenEpisode } from "./database.ts";
import { openEpisodes } from "./fleet.ts";
import type { Machine } from "./machine.ts";
import type { Accepted, SimulatedManager } from "./manager.ts";
import type { Scenario } from "./scenario.ts";
import type { Sent, SimulatedSite, WireRequest } from "./site.ts";
import { SILENT_MS } from "./table-queue.ts";
import type { Timeline } from "./timeline.ts";

/** What may never be. The first four are outcomes; the others are steps that must not be taken. */
const wrongs = [
  "duplicated",
  "false success",
  "lost",
  "limbo",
  "unarmed send",
  "back from posted",
  "fence fell",
  "two sessions",
  "two ends",
  "invariant",
] as const;
export type Wrong = (typeof wrongs)[number];
/** Seen on the site and at the manager, by whoever looks there: what a mutant has to be caught by. */
export const outcomes: ReadonlySet<Wrong> = new Set(["duplicated", "false success", "lost"]);

export interface Violation {
  wrong: Wrong;
  /** A sentence with the episode's or the task's name. */
  what: string;
}

export interface EndState {
  /** Rows of farm.episodes that wait for a person. */
  inDoubt: { episode: string; why: string }[];
}

interface Session {
  machine: Machine;
  account: string;
  task: string;
  /** Last sign of life of its job, as the queue took it. */
  heard: number;
}

const ended: ReadonlySet<string> = new Set(["completed", "failed", "canceled"]);

/**
 * The verdict: from what the site and the manager have in their histories, and from the steps as they crossed the ports. A
 * farm's own word counts for nothing; its rows only say whether something is still open.
 */
export class Checker {
  readonly violations: Violation[] = [];
  readonly #timeline: Timeline;
  readonly #onWrong: (violation: Violation) => void;
  /** account|episode -> the highest fence and whether it was ever posted, since the ledger began or was restored. */
  readonly #known = new Map<string, { fence: number; posted: boolean }>();
  /** "account|episode|fence" that is armed, by the machine that armed it; true once that is on the disk. */
  readonly #armed = new Map<string, { machine: Machine; flushed: boolean }>();
  readonly #sessions: Session[] = [];
  /** "machine|task": when the job was handed out. */
  readonly #taken = new Map<string, number>();

  constructor(timeline: Timeline, onWrong: (violation: Violation) => void) {
    this.#timeline = timeline;
    this.#onWrong = onWrong;
  }

  wrong(wrong: Wrong, what: string): void {
    const violation = { wrong, what };
    this.violations.push(violation);
    this.#onWrong(violation);
  }

  // Steps

  /** Rows of the ledger as they stand after a commit. */
  rowsMoved(machine: Machine, rows: readonly SeenEpisode[], flushes: boolean): void {
    for (const { account_key: account, episode_id: episode, state, fence } of rows) {
      const key = `${account}|${episode}`;
      const known = this.#known.get(key) ?? { fence: 0, posted: false };
      if (fence < known.fence) this.wrong("fence fell", `${key}: from ${known.fence} to ${fence}`);
      const posted = state === "posted" || state === "reported";
      if (known.posted && !posted) this.wrong("back from posted", `${key} is ${state} again`);
      this.#known.set(key, { fence: Math.max(fence, known.fence), posted: known.posted || posted });
      if (state === "armed") this.#armed.set(`${key}|${fence}`, { machine, flushed: flushes });
    }
  }

  flushed(machine: Machine): void {
    for (const armed of this.#armed.values()) if (armed.machine === machine) armed.flushed = true;
  }

  /** An older ledger: what it knows is what counts from now on. */
  ledgerReplaced(): void {
    this.#known.clear();
    this.#armed.clear();
  }

  requestLeaves(_machine: Machine, { account, episode, fence }: WireRequest): void {
    const armed = this.#armed.get(`${account}|${episode}|${fence}`);
    if (!armed?.flushed)
      this.wrong(
        "unarmed send",
        `${episode} was sent under fence ${fence}, which ${armed ? "was armed but not on disk" : "was never armed"}`,
      );
  }

  /** The queue has handed a job to this farm. */
  jobTaken(machine: Machine, task: string, at: number): void {
    this.#taken.set(`${machine.name}|${task}`, at);
  }

  /** The queue took a sign of life of this farm for its job. */
  jobTouched(machine: Machine, task: string, at: number): void {
    for (const session of this.#sessions) if (session.machine === machine && session.task === task) session.heard = at;
  }

  sessionBegins(machine: Machine, account: string, task: string): void {
    const mine: Session = { machine, account, task, heard: this.#taken.get(`${machine.name}|${task}`) ?? 0 };
    const holds = (session: Session): boolean => this.#timeline.now - session.heard <= SILENT_MS;
    for (const other of this.#sessions) {
      if (other.account !== account || other.machine.dead) continue;
      // A farm that slept through its lease does not know yet; its next sign of life tells it.
      if (other.machine === machine || (holds(mine) && holds(other)))
        this.wrong("two sessions", `${machine.name} opens one on ${account} while ${other.machine.name} has one`);
    }
    this.#sessions.push(mine);
  }

  sessionEnds(machine: Machine, account: string, task: string): void {
    const at = this.#sessions.findIndex((one) => one.machine === machine && one.account === account && one.task === task);
    if (at >= 0) this.#sessions.splice(at, 1);
  }

  // Outcomes

  copies(site: SimulatedSite, account: string, episode: string) {
    return site.posts.filter((post) => post.account === account && post.episode === episode && !post.gone);
  }

  madeCopy(site: SimulatedSite, { account, episode }: Sent): void {
    const copies = this.copies(site, account, episode);
    if (copies.length > 1)
      this.wrong("duplicated", `${episode} is on the site ${copies.length} times: ${copies.map((copy) => copy.id).join(", ")}`);
  }

  accepted(site: SimulatedSite, scenario: Scenario, manager: SimulatedManager, { task, report }: Accepted): void {
    const ends = manager.accepted.filter((one) => one.task === task && one.report.kind === "complete");
    if (ends.length > 1) this.wrong("two ends", `${task} was completed ${ends.length} times`);
    if (report.kind !== "complete") return;
    const asked = scenario.tasks.find((one) => one.id === task);
    const links = JSON.parse(report.note ?? "{}") as Record<string, string>;
    for (const { id } of asked?.data_content ?? []) {
      const copies = this.copies(site, accountKey(asked!.account_id), id);
      if (copies.length === 0) this.wrong("lost", `${task} is completed, and ${id} is not on the site`);
      else if (!copies.some((copy) => copy.link === links[id]))
        this.wrong("false success", `${task} is completed, and ${id} is said to be at ${links[id]}`);
    }
  }

  /** At the end: nothing is open, and what a person is asked is what only a person can know. */
  atTheEnd(database: Database, manager: SimulatedManager, why: "done" | "still" | "late"): EndState {
    const held = new Set(database.peek("select id from farm.tasks where state = 'needs_person'").map((row) => row["id"]));
    for (const [id, { link, gone }] of manager.books)
      if (!gone && !ended.has(link.state) && !held.has(id)) this.wrong("limbo", `the manager shows ${id} as ${link.state} (${why})`);
    for (const row of database.peek(openEpisodes("e.episode_id, e.state, t.state as task_state")))
      this.wrong("limbo", `${row["episode_id"] as string} is ${row["state"] as string}, its task ${row["task_state"] as string} (${why})`);
    const rows = database.peek("select episode_id, state, failure from farm.episodes order by 1");
    const inDoubt = rows
      .filter(({ state }) => state === "needs_person")
      .map((row) => ({ episode: row["episode_id"] as string, why: (row["failure"] as { detail?: string } | null)?.detail ?? "" }));
    return { inDoubt };
  }
}

/** As src/coordinator/tasks.ts makes it. */
export function accountKey(accountId: string): string {
  return `simulated:${accountId}`;
}
