/**
 * The life of an episode on one account, and of a task. Each table names, for every state, the states it may move to;
 * the ledger refuses all other moves. Frozen here once, used by SQL, code and pages.
 */
export const episodeMoves = {
  /** Known, nobody works on it. A proof that comes late, from a holder that was given up, is a fact all the same. */
  waiting: ["claimed", "posted", "failed", "canceled"],
  /** A worker holds the fence and looks whether the site has it already. */
  claimed: ["ready", "posted", "waiting", "failed", "canceled", "needs_person"],
  /** Looked: absent. May be armed by the holder of the fence. */
  ready: ["armed", "waiting", "posted", "failed", "canceled", "needs_person"],
  /** Written to disk before the irreversible request. Only proof leads back to harmless states. */
  armed: ["posted", "claimed", "doubt"],
  /** The outcome is unknown. Looked up once `due` has passed, by a new fence. */
  doubt: ["posted", "waiting", "needs_person"],
  /** A person has to say "it is there" or "it is not". */
  needs_person: ["posted", "waiting", "failed", "canceled"],
  /** Seen on the site. Never goes back. */
  posted: ["reported"],
  reported: [],
  failed: ["waiting", "posted"],
  canceled: ["waiting", "posted"],
} as const satisfies Record<string, readonly string[]>;

export type EpisodeState = keyof typeof episodeMoves;
export const episodeStates = Object.keys(episodeMoves) as EpisodeState[];

export function mayMove(from: EpisodeState, to: EpisodeState): boolean {
  return (episodeMoves[from] as readonly EpisodeState[]).includes(to);
}

/** One inner vocabulary; each API has its own mapper. */
export const taskMoves = {
  waiting: ["claimed", "canceled", "failed", "needs_person"],
  claimed: ["running", "waiting", "canceled", "failed"],
  running: ["completed", "failed", "canceled", "waiting", "needs_person", "unsure"],
  /** Some episode is in doubt and waits for its look. */
  unsure: ["running", "waiting", "completed", "failed", "needs_person", "canceled"],
  needs_person: ["waiting", "running", "completed", "failed", "canceled"],
  completed: [],
  failed: ["waiting"],
  canceled: ["waiting"],
} as const satisfies Record<string, readonly string[]>;

export type TaskState = keyof typeof taskMoves;
export const taskStates = Object.keys(taskMoves) as TaskState[];

export function mayTaskMove(from: TaskState, to: TaskState): boolean {
  return (taskMoves[from] as readonly TaskState[]).includes(to);
}

/** Worker API spelling (W3). A task that waits for a person or for a look shows as running, with a note. */
export const workerApiStatuses = ["queued", "running", "completed", "failed", "cancel"] as const;
export type WorkerApiStatus = (typeof workerApiStatuses)[number];

export const taskStateToWorkerApi = {
  waiting: "queued",
  claimed: "queued",
  running: "running",
  unsure: "running",
  needs_person: "running",
  completed: "completed",
  failed: "failed",
  canceled: "cancel",
} as const satisfies Record<TaskState, WorkerApiStatus>;

/** Managers spell it three ways. */
export function isCanceledStatus(status: string): boolean {
  return status === "cancel" || status === "canceled" || status === "cancelled";
}
