/** Events of each key within the last `windowMs`, so that no stretch of that length, wherever it begins, has more than `most` of them. */
export interface SlidingWindow {
  /** Counts nothing. @returns 0 when there is room for one more, or how long until there is, ms */
  waitMs(key: string): number;
  count(key: string): void;
  forget(key: string): void;
}

export interface SlidingWindowOptions {
  most: number;
  windowMs: number;
  /** Keys that are remembered; beyond it those that were counted longest ago are forgotten. */
  maxKeys: number;
  /** Epoch, ms. */
  now: () => number;
}

/** Remembers no more than what happened within one window. */
export function createSlidingWindow({ most, windowMs, maxKeys, now }: SlidingWindowOptions): SlidingWindow {
  /** The one that was counted last comes last; so do the times of each. */
  const known = new Map<string, number[]>();

  function recent(key: string, at: number): number[] {
    const times = known.get(key) ?? [];
    // A clock that was set back: what lies in its future happened now.
    for (let last = times.length - 1; last >= 0 && times[last]! > at; last -= 1) times[last] = at;
    while (times.length > 0 && times[0]! <= at - windowMs) times.shift();
    return times;
  }

  function forgetOld(at: number): void {
    for (const [key, times] of known) {
      if (known.size < maxKeys && times.at(-1)! > at - windowMs) return;
      known.delete(key);
    }
  }

  return {
    waitMs(key) {
      const at = now();
      const times = recent(key, at);
      return times.length < most ? 0 : times[times.length - most]! + windowMs - at;
    },
    count(key) {
      const at = now();
      const times = recent(key, at);
      known.delete(key);
      forgetOld(at);
      times.push(at);
      known.set(key, times);
    },
    forget: (key) => void known.delete(key),
  };
}
