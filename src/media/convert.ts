import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createMp3Stream, id3Title, MP3_HZ } from "./mp3.ts";
import { createResampler } from "./resample.ts";
import { mixDown, readWav } from "./wav.ts";

export interface Conversion {
  /** WAV of plain samples. */
  inputPath: string;
  outPath: string;
  title: string;
  /** Of the input; for the display. */
  seconds: number;
}

/**
 * WAV to MP3 at 44.1 kHz: mono at 96 kbit/s, two channels at 192, more mixed down to one. The loudness stays the author's.
 * @throws Failure content.audio when the WAV is of an unusual kind or cut off
 */
export async function wavToMp3(conversion: Conversion, onProgress: (share: number) => void, signal: AbortSignal): Promise<void> {
  const out = await open(conversion.outPath, "w");
  try {
    await out.write(id3Title(conversion.title));
    const input = createReadStream(conversion.inputPath, { signal });
    let encoder: Awaited<ReturnType<typeof createMp3Stream>> | null = null;
    let resamplers: ReturnType<typeof createResampler>[] = [];
    let frames = 0;
    for await (const { sampleRate, channels, file } of readWav(input)) {
      signal.throwIfAborted();
      if (file > 0) break;
      const sound = channels.length <= 2 ? channels : [mixDown(channels)];
      encoder ??= await createMp3Stream(sound.length === 2 ? 2 : 1);
      if (resamplers.length === 0) resamplers = sound.map(() => createResampler(sampleRate, MP3_HZ));
      await out.write(encoder.push(sound.map((samples, index) => resamplers[index]!.push(samples))));
      frames += channels[0]?.length ?? 0;
      onProgress(Math.min(1, frames / sampleRate / conversion.seconds));
    }
    if (encoder) {
      await out.write(encoder.push(resamplers.map((resampler) => resampler.end())));
      await out.write(encoder.end());
    }
    await out.sync();
  } finally {
    await out.close();
  }
}
