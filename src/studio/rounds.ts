import type { Clock } from "../kit/clock.ts";

export const AFTER_ERROR_MS = 60_000;

/** Work that falls due at times that the database knows: a round at the start, one when the next thing is due, one whenever somebody says so. */
export abstract class Rounds {
  protected readonly stopping = new AbortController();
  readonly #clock: Clock;
  readonly #longestNapMs: number;
  #nap = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** @param longestNapMs how long the database is left unasked at most */
  constructor(clock: Clock, longestNapMs: number) {
    this.#clock = clock;
    this.#longestNapMs = longestNapMs;
  }

  /** Does what is due. @returns when the next thing is, epoch ms; Infinity: nothing is known */
  protected abstract round(): Promise<number>;
  /** A round failed; another follows within a minute. */
  protected abstract failed(error: unknown): void;

  start(): void {
    this.#running = this.#run();
  }

  /** Something may be due sooner than was known. */
  wake(): void {
    this.#nap.abort();
  }

  async close(): Promise<void> {
    this.stopping.abort();
    this.#nap.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.#nap = new AbortController();
      const nap = this.#nap.signal;
      const dueMs = await this.round().then(
        (at) => Math.max(0, at - this.#clock.now()),
        (error: unknown) => {
          this.failed(error);
          return AFTER_ERROR_MS;
        },
      );
      const napMs = Math.min(this.#longestNapMs, dueMs);
      if (!this.stopping.signal.aborted && napMs > 0) await this.#clock.sleep(napMs, nap);
    }
  }
}
