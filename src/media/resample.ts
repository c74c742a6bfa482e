import { sincPhases } from "./sinc.ts";

const HALF_TAPS = 20;
/** What is lost at the top of the band so that nothing folds back. */
const PASS_BAND = 0.93;

export interface Resampler {
  /** May return nothing for a while: the filter looks ahead. */
  push(samples: Float32Array): Float32Array;
  /** The rest, once all was pushed. */
  end(): Float32Array;
}

/** One channel from one sample rate to another by a polyphase windowed sinc; no delay: sample 0 stays at time 0. */
export function createResampler(fromHz: number, toHz: number): Resampler {
  if (fromHz === toHz) return { push: (samples) => samples, end: () => new Float32Array(0) };
  const divisor = greatestDivisor(fromHz, toHz);
  const [up, down] = [toHz / divisor, fromHz / divisor];
  const ratio = Math.min(1, toHz / fromHz);
  const half = Math.ceil(HALF_TAPS / ratio);
  const phases = sincPhases(up, half, ratio * PASS_BAND);
  let pending = new Float32Array(half - 1);
  /** Where the next output lies, counted in 1/up of an input sample from the start of `pending`'s first full window. */
  let position = 0;
  let [pushed, produced] = [0, 0];

  const drain = (limit: number): Float32Array => {
    const available = pending.length - half * 2 + 1;
    const count = Math.max(0, Math.min(Math.ceil((available * up - position) / down), limit));
    const out = new Float32Array(count);
    for (let n = 0; n < count; n += 1) {
      const start = Math.floor(position / up);
      const taps = phases[position % up]!;
      let sum = 0;
      for (let k = 0; k < taps.length; k += 1) sum += pending[start + k]! * taps[k]!;
      out[n] = sum;
      position += down;
    }
    const used = Math.min(Math.floor(position / up), pending.length);
    pending = pending.slice(used);
    position -= used * up;
    produced += count;
    return out;
  };

  return {
    push(samples) {
      pushed += samples.length;
      pending = join(pending, samples);
      return drain(Infinity);
    },
    end() {
      pending = join(pending, new Float32Array(half * 2));
      return drain(Math.round((pushed * up) / down) - produced);
    },
  };
}

function join(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
