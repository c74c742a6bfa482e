import type { Clock } from "../../../src/kit/clock.ts";

/** The system's time, which can be set forward: whoever sleeps until then wakes up. */
export interface JumpClock extends Clock {
  jump(ms: number): void;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function jumpClock(): JumpClock {
  let ahead = 0;
  const sleepers = new Set<() => void>();
  return {
    now: () => Date.now() + ahead,
    monotonic: () => performance.now() + ahead,
    async sleep(ms, signal) {
      if (signal?.aborted) return;
      const until = performance.now() + ahead + ms;
      await new Promise<void>((resolve) => {
        let timer: NodeJS.Timeout;
        const wake = (): void => {
          clearTimeout(timer);
          const leftMs = until - (performance.now() + ahead);
          if (leftMs > 0 && !signal?.aborted) {
            timer = setTimeout(wake, Math.min(leftMs, LONGEST_TIMER_MS));
            return;
          }
          sleepers.delete(wake);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        timer = setTimeout(wake, Math.min(ms, LONGEST_TIMER_MS));
        sleepers.add(wake);
        signal?.addEventListener("abort", wake, { once: true });
      });
    },
    jump(ms) {
      ahead += ms;
      for (const wake of sleepers) wake();
    },
  };
}
