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

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    await delay(ms, undefined, { signal }).catch(() => undefined);
  },
};
