import { setImmediate, setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../src/kit/clock.ts";

/** Time that passes only when the test says so. */
export interface VirtualClock extends Clock {
  /** Wakes whoever sleeps until then, in order. */
  advance(ms: number): Promise<void>;
  /** A round through the parts that live in real time: they get to the end of what they are at, so that virtual time does not outrun them. */
  breathe: () => Promise<unknown>;
  /** A view of this clock for one process: after `kill()` nobody who sleeps by it wakes up again. */
  mortal(): Clock & { kill(): void };
}

const START = Date.parse("2026-11-21T08:00:00Z");

export function virtualClock(start = START): VirtualClock {
  let now = start;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const sleeper = { at: now + ms, wake: () => undefined as void };
      sleeper.wake = () => {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", sleeper.wake);
        resolve();
      };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });
  };
  return {
    now: () => now,
    monotonic: () => now - start,
    sleep,
    breathe: async () => delay(2),
    async advance(ms) {
      const until = now + ms;
      for (;;) {
        const next = [...sleepers].filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        now = Math.max(now, next.at);
        next.wake();
        await setImmediate();
      }
      now = until;
    },
    mortal() {
      let dead = false;
      return {
        now: () => now,
        monotonic: () => now - start,
        async sleep(ms, signal) {
          await sleep(ms, signal);
          if (dead) await new Promise(() => undefined);
        },
        kill: () => (dead = true),
      };
    },
  };
}

/** Only a bound: on a busy machine a virtual hour takes its time. */
const REAL_DEADLINE_MS = 90_000;

/** Lets virtual time pass until `seen` is true; real work (database, sockets) gets its time between the steps. */
export async function passTime(
  clock: VirtualClock,
  what: string,
  seen: () => boolean | Promise<boolean>,
  { stepMs = 250, limitMs = 24 * 3600_000 } = {},
): Promise<void> {
  const [until, realUntil] = [clock.now() + limitMs, performance.now() + REAL_DEADLINE_MS];
  while (!(await seen())) {
    if (clock.now() > until || performance.now() > realUntil) throw new Error(`this did not happen: ${what}`);
    await clock.advance(stepMs);
    await clock.breathe();
  }
}
