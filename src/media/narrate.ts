import { open, rm, type FileHandle } from "node:fs/promises";
import { Failure } from "../contract/failures.ts";
import { chooseGainDb, levelled, writePcm, type Recording } from "./level.ts";
import { createLoudnessMeter } from "./loudness.ts";
import { createMp3Stream, id3Title, MP3_HZ } from "./mp3.ts";
import { createResampler } from "./resample.ts";
import { spokenLines } from "./spoken-lines.ts";
import { speak, type SpeechRequest } from "./voice.ts";
import { mixDown, readWav } from "./wav.ts";

export interface Narration extends SpeechRequest {
  /** Plain text. */
  text: string;
  /** Written into the file's tag; "" for none. */
  title: string;
  /** null: the built-in voice. */
  voiceCommand: string | null;
  /** MP3, mono, 44.1 kHz, 96 kbit/s. */
  outPath: string;
}

export interface NarrationFacts {
  seconds: number;
  bytes: number;
}

/** Speaking runs at some thirty times real time on one core; this is for a machine that does much else. */
const DEADLINE_BASE_MS = 120_000;
const DEADLINE_MS_PER_CHARACTER = 60;
/** How the work is spread, for the display. */
const shares = { speaking: 0.45, levelling: 0.1 };

/**
 * Reads a text aloud into an MP3 at -16 LUFS and at most -1 dBTP. Memory does not grow with the length: the raw sound
 * waits in a file beside `outPath`, which is gone afterwards in any case.
 * @param onProgress 0..1
 * @throws Failure content.empty, farm.narration; whatever the signal was aborted with
 */
export async function narrate(narration: Narration, onProgress: (share: number) => void, signal: AbortSignal): Promise<NarrationFacts> {
  const lines = spokenLines(narration.text);
  if (lines.length === 0) throw new Failure("content.empty", "the text holds no words");
  const deadlineMs = DEADLINE_BASE_MS + narration.text.length * DEADLINE_MS_PER_CHARACTER;
  const deadline = AbortSignal.timeout(deadlineMs);
  const rawPath = `${narration.outPath}.raw`;
  const raw = await open(rawPath, "w+");
  try {
    const both = AbortSignal.any([signal, deadline]);
    const spoken = await record(lines, narration, raw, (share) => onProgress(share * shares.speaking), both);
    const gainDb = await chooseGainDb(spoken, both);
    onProgress(shares.speaking + shares.levelling);
    return await encode(
      spoken,
      gainDb,
      narration,
      (share) => onProgress(shares.speaking + shares.levelling + share * (1 - shares.speaking - shares.levelling)),
      both,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted)
      throw new Failure(
        "farm.narration",
        `the voice took longer than ${Math.round(deadlineMs / 1000)} s for ${narration.text.length} characters`,
      );
    throw error;
  } finally {
    await raw.close();
    await rm(rawPath, { force: true });
  }
}

/** The voice's sound at 44.1 kHz into the file, measured on its way. */
async function record(
  lines: readonly string[],
  narration: Narration,
  raw: FileHandle,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Recording> {
  const meter = createLoudnessMeter(MP3_HZ);
  const expectedSeconds = (lines.join(" ").length / 14) * (165 / narration.wordsPerMinute);
  let [samples, rate] = [0, 0];
  let resampler = createResampler(MP3_HZ, MP3_HZ);
  const keep = async (sound: Float32Array): Promise<void> => {
    meter.push(sound);
    await writePcm(raw, sound, samples);
    samples += sound.length;
  };
  for await (const block of readWav(speak(lines, narration, narration.voiceCommand, signal))) {
    if (block.sampleRate !== rate) {
      await keep(resampler.end());
      rate = block.sampleRate;
      resampler = createResampler(rate, MP3_HZ);
    }
    await keep(resampler.push(mixDown(block.channels)));
    // A voice that writes one file a line tells how far it is; of another the length is guessed.
    onProgress(Math.min(0.99, block.file > 0 ? block.file / lines.length : samples / MP3_HZ / expectedSeconds));
  }
  await keep(resampler.end());
  if (samples === 0) throw new Failure("farm.narration", "the voice said nothing");
  return { raw, samples, lufs: meter.integrated(), truePeak: meter.truePeak() };
}

async function encode(
  recording: Recording,
  gainDb: number,
  { outPath, title }: Narration,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<NarrationFacts> {
  const encoder = await createMp3Stream(1);
  const out = await open(outPath, "w");
  let [bytes, done] = [0, 0];
  const write = async (data: Uint8Array): Promise<void> => {
    if (data.length > 0) bytes += (await out.write(data)).bytesWritten;
  };
  try {
    await write(id3Title(title));
    for await (const sound of levelled(recording, gainDb, signal)) {
      await write(encoder.push([sound]));
      done += sound.length;
      onProgress(done / recording.samples);
    }
    await write(encoder.end());
    await out.sync();
  } finally {
    await out.close();
  }
  return { seconds: recording.samples / MP3_HZ, bytes };
}
