import type { FileHandle } from "node:fs/promises";
import { createLimiter } from "./limiter.ts";
import { createLoudnessMeter } from "./loudness.ts";
import { MP3_HZ } from "./mp3.ts";

/** A recording of one channel at 44.1 kHz, 16 bit, kept in a file at half level, so that peaks between samples are not clipped. */
export interface Recording {
  raw: FileHandle;
  samples: number;
  lufs: number;
  /** Linear. */
  truePeak: number;
}

/** What podcast apps expect of speech. */
export const TARGET_LUFS = -16;
/** Some way below what is promised (-1 dBTP): MP3 rounds peaks up. */
const CEILING = fromDb(-1.8);
const HEADROOM = 0.5;
const MAX_GAIN_DB = 30;
const BLOCK_SAMPLES = MP3_HZ;
/** The limiter's effect is measured on windows spread over a long recording: a voice sounds alike all along. */
const WINDOW_SAMPLES = 5 * MP3_HZ;
const MAX_WINDOWS = 10;
/** The search for the gain ends this near to the target, LU, or after so many tries. */
const TOLERANCE_LU = 0.15;
const MAX_TRIES = 6;
/** LU that come out of the limiter for 1 dB that goes in: a guess, and the least that is believed. */
const FIRST_SLOPE = 0.6;
const MIN_SLOPE = 0.25;

function fromDb(db: number): number {
  return 10 ** (db / 20);
}

/**
 * The gain, in dB, with which the recording comes out of the limiter at the target. The limiter takes loudness away,
 * the more the higher the gain, so it is searched for: each step as large as the last one has shown to be needed.
 */
export async function chooseGainDb({ raw, samples, lufs, truePeak }: Recording, signal: AbortSignal): Promise<number> {
  if (!Number.isFinite(lufs)) return 0;
  let gainDb = Math.min(TARGET_LUFS - lufs, MAX_GAIN_DB);
  if (truePeak * fromDb(gainDb) <= CEILING) return gainDb;
  const windows = await readWindows(raw, samples, signal);
  const plain = loudnessOf(windows);
  let [slope, before] = [FIRST_SLOPE, { gainDb: 0, lufs: 0 }];
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    signal.throwIfAborted();
    const limiter = createLimiter(MP3_HZ, fromDb(gainDb), CEILING);
    const now = { gainDb, lufs: lufs + loudnessOf(windows.map((sound) => limiter.push(sound))) - plain };
    if (Math.abs(TARGET_LUFS - now.lufs) <= TOLERANCE_LU || gainDb === MAX_GAIN_DB) break;
    if (tries > 0) slope = Math.max(MIN_SLOPE, (now.lufs - before.lufs) / (now.gainDb - before.gainDb));
    before = now;
    gainDb = Math.min(gainDb + (TARGET_LUFS - now.lufs) / slope, MAX_GAIN_DB);
  }
  return gainDb;
}

async function readWindows(raw: FileHandle, samples: number, signal: AbortSignal): Promise<Float32Array[]> {
  const count = Math.min(MAX_WINDOWS, Math.ceil(samples / WINDOW_SAMPLES));
  const step = samples / count;
  const windows: Float32Array[] = [];
  for (let index = 0; index < count; index += 1) {
    signal.throwIfAborted();
    windows.push(await readPcm(raw, Math.floor(index * step), Math.min(WINDOW_SAMPLES, Math.floor(step))));
  }
  return windows;
}

function loudnessOf(sounds: readonly Float32Array[]): number {
  const meter = createLoudnessMeter(MP3_HZ, { peaks: false });
  for (const sound of sounds) meter.push(sound);
  return meter.integrated();
}

/** The recording at its final level, peaks held down, a second at a time. */
export async function* levelled(
  { raw, samples }: Recording,
  gainDb: number,
  signal: AbortSignal,
): AsyncGenerator<Float32Array, void, void> {
  const limiter = createLimiter(MP3_HZ, fromDb(gainDb), CEILING);
  for (let at = 0; at < samples; at += BLOCK_SAMPLES) {
    signal.throwIfAborted();
    yield limiter.push(await readPcm(raw, at, Math.min(BLOCK_SAMPLES, samples - at)));
  }
  yield limiter.end();
}

async function readPcm(raw: FileHandle, from: number, count: number): Promise<Float32Array> {
  const { buffer, bytesRead } = await raw.read(new Int16Array(count), 0, count * 2, from * 2);
  return Float32Array.from(buffer.subarray(0, bytesRead / 2), (sample) => sample / 32_768 / HEADROOM);
}

/** Appends; `at` counts samples. */
export async function writePcm(raw: FileHandle, sound: Float32Array, at: number): Promise<void> {
  const pcm = Int16Array.from(sound, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * HEADROOM * 32_768))));
  await raw.write(pcm, 0, pcm.byteLength, at * 2);
}
