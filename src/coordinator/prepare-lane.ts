import type { Preflight, Preparation, Prepare, PreparationRequest } from "./ports.ts";

interface Entry {
  result: Promise<unknown>;
  abort: AbortController;
}

/**
 * Makes the files ahead of the browser: while episode k is posted, k+1 is narrated. First come, first made, so many at a
 * time; each once a run, however often it is asked for.
 */
export class PrepareLane {
  readonly #prepare: Prepare;
  readonly #parallel: number;
  readonly #preflight: Preflight | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: (() => void)[] = [];
  #busy = 0;

  constructor(prepare: Prepare, parallel: number, preflight?: Preflight) {
    this.#preflight = preflight;
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
    return entry.result as Promise<Preparation>;
  }

  /** It can say whether an episode can be prepared. */
  get checks(): boolean {
    return this.#preflight !== undefined;
  }

  /** Before a browser is opened for it. Out of turn: nothing is made. @throws Failure content.* */
  async check(owner: string, request: Omit<PreparationRequest, "signal">): Promise<void> {
    const abort = new AbortController();
    const result = this.#preflight?.({ ...request, signal: abort.signal });
    this.#entries.set(`${owner}\ncheck ${request.episode.id}`, { abort, result: Promise.resolve(result) });
    await result;
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
