import { sincPhases } from "./sinc.ts";

/** Programme loudness of one channel as ITU-R BS.1770-4 defines it (K-weighting, 400 ms blocks, both gates), and its true peak. */
export interface LoudnessMeter {
  push(samples: Float32Array): void;
  /** LUFS; -Infinity for silence or less than 0.4 s. */
  integrated(): number;
  /** Linear, by 4x oversampling; 1 is 0 dBTP. */
  truePeak(): number;
}

const ABSOLUTE_GATE_LUFS = -70;
const RELATIVE_GATE_LU = -10;
/** A 400 ms block is four steps: blocks overlap by three quarters. */
const STEP_SECONDS = 0.1;
const STEPS_PER_BLOCK = 4;

/** @param options.peaks false: only the loudness is wanted, at half the work */
export function createLoudnessMeter(sampleRate: number, options: { peaks: boolean } = { peaks: true }): LoudnessMeter {
  const [shelf, highPass] = [biquad(shelfCoefficients(sampleRate)), biquad(highPassCoefficients(sampleRate))];
  const peaks = createPeakFinder();
  const stepSamples = Math.round(sampleRate * STEP_SECONDS);
  const steps: number[] = [];
  let [sum, count, peak] = [0, 0, 0];
  return {
    push(samples) {
      for (const sample of samples) {
        if (options.peaks) peak = Math.max(peak, peaks(sample));
        const weighted = highPass(shelf(sample));
        sum += weighted * weighted;
        count += 1;
        if (count < stepSamples) continue;
        steps.push(sum / stepSamples);
        [sum, count] = [0, 0];
      }
    },
    integrated() {
      const blocks = steps.slice(STEPS_PER_BLOCK - 1).map((_, index) => mean(steps.slice(index, index + STEPS_PER_BLOCK)));
      const loud = blocks.filter((power) => toLufs(power) > ABSOLUTE_GATE_LUFS);
      const gate = toLufs(mean(loud)) + RELATIVE_GATE_LU;
      return toLufs(mean(loud.filter((power) => toLufs(power) > gate)));
    },
    truePeak: () => peak,
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
}

function toLufs(power: number): number {
  return -0.691 + 10 * Math.log10(power);
}

interface Coefficients {
  b: readonly [number, number, number];
  a: readonly [number, number];
}

function biquad({ b, a }: Coefficients): (sample: number) => number {
  let [z1, z2] = [0, 0];
  return (sample) => {
    const out = b[0] * sample + z1;
    z1 = b[1] * sample - a[0] * out + z2;
    z2 = b[2] * sample - a[1] * out;
    return out;
  };
}

/** The standard gives coefficients for 48 kHz; these are the analogue prototypes behind them, for any rate. */
function shelfCoefficients(sampleRate: number): Coefficients {
  const [gainDb, q, frequency] = [3.999843853973347, 0.7071752369554196, 1681.974450955533];
  const k = Math.tan((Math.PI * frequency) / sampleRate);
  const high = 10 ** (gainDb / 20);
  const band = high ** 0.4996667741545416;
  const a0 = 1 + k / q + k * k;
  return {
    b: [(high + (band * k) / q + k * k) / a0, (2 * (k * k - high)) / a0, (high - (band * k) / q + k * k) / a0],
    a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0],
  };
}

function highPassCoefficients(sampleRate: number): Coefficients {
  const [q, frequency] = [0.5003270373238773, 38.13547087602444];
  const k = Math.tan((Math.PI * frequency) / sampleRate);
  const a0 = 1 + k / q + k * k;
  return { b: [1, -2, 1], a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0] };
}

const PEAK_HALF_TAPS = 6;
const OVERSAMPLING = 4;
/** Samples between a sample going in and its peak coming out. */
export const PEAK_DELAY_SAMPLES = PEAK_HALF_TAPS;

/** For each sample in, the greatest level on the way from the sample PEAK_DELAY_SAMPLES before to its successor. */
export function createPeakFinder(): (sample: number) => number {
  const phases = sincPhases(OVERSAMPLING, PEAK_HALF_TAPS, 1).slice(1);
  const length = PEAK_HALF_TAPS * 2;
  // Twice as long as needed, so that a window is always one run.
  const ring = new Float64Array(length * 2);
  let at = 0;
  return (sample) => {
    ring[at] = sample;
    ring[at + length] = sample;
    at = (at + 1) % length;
    let peak = Math.abs(ring[at + PEAK_HALF_TAPS - 1]!);
    for (const taps of phases) {
      let sum = 0;
      for (let k = 0; k < length; k += 1) sum += ring[at + k]! * taps[k]!;
      peak = Math.max(peak, Math.abs(sum));
    }
    return peak;
  };
}
