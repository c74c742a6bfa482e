import type { Preparation, Prepare, PreparationRequest } from "./ports.ts";

interface Entry {
  result: Promise<Preparation>;
  abort: AbortController;
}

/**
 * Makes the files ahead of the browser: while episode k is posted, k+1 is narrated. First come, first made, so many at a
 * time; each once a run, however often it is asked for.
 */
export class PrepareLane {
  readonly #prepare: Prepare;
  readonly #parallel: number;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: (() => void)[] = [];
  #busy = 0;

  constructor(prepare: Prepare, parallel: number) {
    this.#prepare = prepare;
    this.#parallel = parallel;
  }

  /** @param owner the run: `drop` ends all of its work  @throws Failure content.* or farm.narration */
  async get(owner: string, request: Omit<PreparationRequest, "signal">): Promise<Preparation> {
    const key = `${owner}\n${request.episode.id}`;
    let entry = this.#entries.get(key);
    if (!entry) {
      const abort = new AbortController();
      entry = { abort, result: this.#inTurn(async () => this.#prepare({ ...request, signal: abort.signal }), abort.signal) };
      // Asked for ahead: whoever waits for it gets the error.
      entry.result.catch(() => undefined);
      this.#entries.set(key, entry);
    }
    return entry.result;
  }

  /** Forgets a run's episodes and ends what is still being made for it. */
  drop(owner: string): void {
    for (const [key, entry] of this.#entries) {
      if (!key.startsWith(`${owner}\n`)) continue;
      entry.abort.abort(new Error("the task has ended"));
      this.#entries.delete(key);
    }
  }

  async #inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    while (this.#busy >= this.#parallel) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#busy += 1;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#busy -= 1;
      this.#queue.shift()?.();
    }
  }
}
