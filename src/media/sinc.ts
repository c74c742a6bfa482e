/** Modified Bessel function of order 0: the Kaiser window's shape. */
function bessel(x: number): number {
  let sum = 1;
  for (let term = 1, k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** About 80 dB of stop band. */
const BETA = 8;

/**
 * A low pass as a windowed sinc, cut into phases: `phases[p]` are the taps for a point p/phaseCount of a sample after
 * the middle pair. Each phase has gain 1 at 0 Hz.
 * @param cutoff share of the input's Nyquist frequency, 0..1
 */
export function sincPhases(phaseCount: number, halfTaps: number, cutoff: number): Float64Array[] {
  return Array.from({ length: phaseCount }, (_, phase) => {
    const taps = Float64Array.from({ length: halfTaps * 2 }, (_unused, k) => {
      const x = k - halfTaps + 1 - phase / phaseCount;
      const edge = Math.abs(x) / halfTaps;
      if (edge >= 1) return 0;
      const angle = Math.PI * cutoff * x;
      return (angle === 0 ? 1 : Math.sin(angle) / angle) * bessel(BETA * Math.sqrt(1 - edge * edge));
    });
    const sum = taps.reduce((a, b) => a + b, 0);
    return taps.map((tap) => tap / sum);
  });
}
