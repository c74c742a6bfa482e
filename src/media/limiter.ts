import { createPeakFinder, PEAK_DELAY_SAMPLES } from "./loudness.ts";

export interface Limiter {
  /** As many samples as were pushed, later by the look-ahead. */
  push(samples: Float32Array): Float32Array;
  /** What is still inside. */
  end(): Float32Array;
}

const LOOK_AHEAD_SECONDS = 0.005;
const RELEASE_SECONDS = 0.04;

/**
 * Multiplies by `gain` and keeps true peaks at or below `ceiling` (both linear) without clipping: the level goes down
 * smoothly before a peak and comes back slowly after it.
 */
export function createLimiter(sampleRate: number, gain: number, ceiling: number): Limiter {
  const span = Math.round(sampleRate * LOOK_AHEAD_SECONDS);
  const delay = span + PEAK_DELAY_SAMPLES + 1;
  const release = 1 - Math.exp(-1 / (RELEASE_SECONDS * sampleRate));
  const findPeak = createPeakFinder();
  const least = slidingMinimum(span);
  const smooth = slidingMean(span - 1);
  const line = new Float64Array(delay);
  let [at, level, skipped] = [0, 1, 0];

  const step = (sample: number): number => {
    const peak = findPeak(sample * gain);
    const needed = least(peak > ceiling ? ceiling / peak : 1);
    level = needed < level ? needed : level + (needed - level) * release;
    const out = line[at]! * smooth(level);
    line[at] = sample * gain;
    at = (at + 1) % delay;
    return out;
  };
  const run = (samples: Float32Array): Float32Array => {
    const out = samples.map(step);
    const skip = Math.min(delay - skipped, out.length);
    skipped += skip;
    return out.subarray(skip);
  };
  return { push: run, end: () => run(new Float32Array(delay)) };
}

/** The least of the last `span` values, in constant time: a queue of candidates in rising order. */
function slidingMinimum(span: number): (value: number) => number {
  const values = new Float64Array(span);
  const times = new Float64Array(span);
  let [head, size, time] = [0, 0, 0];
  return (value) => {
    if (size > 0 && times[head]! <= time - span) {
      head = (head + 1) % span;
      size -= 1;
    }
    while (size > 0 && values[(head + size - 1) % span]! >= value) size -= 1;
    values[(head + size) % span] = value;
    times[(head + size) % span] = time;
    size += 1;
    time += 1;
    return values[head]!;
  };
}

function slidingMean(span: number): (value: number) => number {
  const values = new Float64Array(span).fill(1);
  let [sum, at] = [span, 0];
  return (value) => {
    sum += value - values[at]!;
    values[at] = value;
    at = (at + 1) % span;
    return sum / span;
  };
}
