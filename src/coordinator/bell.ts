import type { Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";

/** Wakes a loop that rests. A ring while nobody rests is not lost: the next rest ends at once. */
export class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      // Not AbortSignal.any: the signal lives as long as the farm and would keep a mark of every rest.
      const early = new AbortController();
      const wake = (): void => early.abort();
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
      await clock.sleep(ms, early.signal);
      signal.removeEventListener("abort", wake);
      this.#wake = null;
    }
    this.#rung = false;
  }
}

export interface LoopOptions {
  name: string;
  clock: Clock;
  log: Log;
  bell: Bell;
  signal: AbortSignal;
  /** One turn; answers how long to rest after it unless the bell rings, ms. */
  turn: () => Promise<number>;
}

const REST_AFTER_ERROR_MS = 1000;

/** Turns until the signal fires. A turn that throws is logged and tried again: no loop of the farm ends by an error. */
export async function loop({ name, clock, log, bell, signal, turn }: LoopOptions): Promise<void> {
  while (!signal.aborted) {
    const restMs = await turn().catch((error: unknown) => {
      log.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return REST_AFTER_ERROR_MS;
    });
    await bell.rest(clock, restMs, signal);
  }
}
