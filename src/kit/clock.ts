import { setTimeout as delay } from "node:timers/promises";

/** Time as a port, so that the coordinator's core also runs under a simulated one. */
export interface Clock {
  /** Epoch, ms. */
  now(): number;
  /** Never goes back, ms; only differences mean something. */
  monotonic(): number;
  /** Ends early, without an error, when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    await delay(Math.min(ms, LONGEST_TIMER_MS), undefined, { signal }).catch(() => undefined);
  },
};
