import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { createLimiter } from "../../src/media/limiter.ts";
import { createLoudnessMeter } from "../../src/media/loudness.ts";
import { createResampler } from "../../src/media/resample.ts";
import { readWav } from "../../src/media/wav.ts";
import { sine, wavOf } from "./help.ts";

const toDb = (level: number): number => 20 * Math.log10(level);

function near(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);
}

function loudness(sounds: Float32Array[], sampleRate = 48_000): { lufs: number; peakDb: number } {
  const meter = createLoudnessMeter(sampleRate);
  for (const sound of sounds) meter.push(sound);
  return { lufs: meter.integrated(), peakDb: toDb(meter.truePeak()) };
}

test("the reference tone of BS.1770 reads -3.01 LUFS at every rate", () => {
  for (const sampleRate of [22_050, 44_100, 48_000]) near(loudness([sine(997, 1, sampleRate, 4)], sampleRate).lufs, -3.01, 0.05);
});

test("silence and quiet passages do not count (EBU Tech 3341, cases 3 and 4 for one channel)", () => {
  const tone = (db: number, seconds: number): Float32Array => sine(1000, 10 ** (db / 20), 48_000, seconds);
  const loud = loudness([tone(-23, 20)]).lufs;
  near(loudness([tone(-36, 5), tone(-23, 20), tone(-36, 5)]).lufs, loud, 0.1);
  near(loudness([tone(-72, 5), tone(-36, 5), tone(-23, 20), tone(-36, 5), tone(-72, 5)]).lufs, loud, 0.1);
  assert.equal(loudness([new Float32Array(48_000)]).lufs, -Infinity);
});

test("a peak between two samples is found", () => {
  const samples = sine(12_000, 1, 48_000, 1, Math.PI / 4);
  near(toDb(samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)), -3.01, 0.01);
  near(loudness([samples]).peakDb, 0, 0.2);
});

test("the limiter holds every true peak down and leaves the rest alone", () => {
  const ceiling = 10 ** (-1.8 / 20);
  const noise = Float32Array.from({ length: 44_100 }, (_, index) => Math.sin(index * index));
  const limiter = createLimiter(44_100, 3, ceiling);
  const out = [limiter.push(noise), limiter.end()];
  assert.equal(
    out.reduce((sum, part) => sum + part.length, 0),
    noise.length,
  );
  assert.ok(loudness(out, 44_100).peakDb <= -1.79);
  const quiet = sine(440, 0.3, 44_100, 0.5);
  const calm = createLimiter(44_100, 1, ceiling);
  assert.deepEqual(
    Buffer.concat([calm.push(quiet), calm.end()].map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))),
    Buffer.from(quiet.buffer),
  );
});

test("resampling keeps tone, level and length", () => {
  for (const [from, to] of [
    [22_050, 44_100],
    [16_000, 44_100],
    [24_000, 44_100],
    [48_000, 44_100],
  ] as const) {
    const resampler = createResampler(from, to);
    const input = sine(1000, 0.5, from, 1);
    const out: number[] = [];
    for (let at = 0; at < input.length; at += 1000) out.push(...resampler.push(input.subarray(at, at + 1000)));
    out.push(...resampler.end());
    assert.equal(out.length, to);
    const expected = sine(1000, 0.5, to, 1);
    const worst = out.slice(200, -200).reduce((most, sample, index) => Math.max(most, Math.abs(sample - expected[index + 200]!)), 0);
    assert.ok(toDb(worst / 0.5) < -80, `${from} -> ${to}: ${toDb(worst / 0.5)} dB`);
  }
});

test("what is too high for the new rate does not fold back", () => {
  const resampler = createResampler(48_000, 22_050);
  const out = resampler.push(sine(15_000, 0.5, 48_000, 1));
  assert.ok(toDb(out.slice(200).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) / 0.5) < -70);
});

test("WAV is read as it arrives, several in a row, also in crumbs", async () => {
  const sound = sine(440, 0.5, 8000, 0.5);
  const bytes = Buffer.concat([wavOf(sound, 8000), wavOf(sound.subarray(0, 1000), 16_000)]);
  async function* crumbs(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 37) yield bytes.subarray(at, at + 37);
  }
  const seen: Record<number, { rate: number; samples: number }> = {};
  for await (const { sampleRate, channels, file } of readWav(crumbs()))
    seen[file] = { rate: sampleRate, samples: (seen[file]?.samples ?? 0) + (channels[0]?.length ?? 0) };
  assert.deepEqual(seen, { 0: { rate: 8000, samples: 4000 }, 1: { rate: 16_000, samples: 1000 } });
});

test("a WAV from a pipe, which does not know its length yet, is read to its end", async () => {
  const bytes = wavOf(sine(440, 0.5, 8000, 0.5), 8000);
  bytes.writeUInt32LE(0xff_ff_ff_ff, 40);
  let samples = 0;
  for await (const { channels } of readWav(Readable.from([bytes]))) samples += channels[0]?.length ?? 0;
  assert.equal(samples, 4000);
});

test("a WAV that is cut off is refused", async () => {
  const bytes = wavOf(sine(440, 0.5, 8000, 0.5), 8000);
  await assert.rejects(async () => {
    for await (const _ of readWav(Readable.from([bytes.subarray(0, 3000)]))) void _;
  }, /cut off/);
});
