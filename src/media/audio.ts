import { stat } from "node:fs/promises";
import { parseFromTokenizer, type IAudioMetadata } from "music-metadata";
import { fromFile } from "strtok3";
import { Failure } from "../contract/failures.ts";

export interface AudioFacts {
  /** Exact, also for MP3 with a variable bit rate. */
  seconds: number;
  /** What belongs into a feed's enclosure, e.g. "audio/mpeg". */
  mime: string;
  bytes: number;
  /** As the parser names it, e.g. "MPEG 1 Layer 3", "MPEG-4/AAC", "PCM". */
  codec: string;
  /** The file name ending that fits the content: "mp3", "m4a", "wav", "ogg", "flac" … */
  format: string;
}

/** Containers as music-metadata names them, in lower case. `M4A/…` brand lists are cut at the slash. */
const containers: Readonly<Record<string, { mime: string; format: string }>> = {
  mpeg: { mime: "audio/mpeg", format: "mp3" },
  "adts/mpeg-4": { mime: "audio/aac", format: "aac" },
  wave: { mime: "audio/wav", format: "wav" },
  ogg: { mime: "audio/ogg", format: "ogg" },
  flac: { mime: "audio/flac", format: "flac" },
  aiff: { mime: "audio/aiff", format: "aiff" },
  mp4: { mime: "audio/mp4", format: "m4a" },
};

/**
 * Reads what an audio file is from its content; its name and declared type mean nothing.
 * @throws Failure content.audio when it is empty, has no sound, or is no audio at all
 */
export async function probeAudio(path: string): Promise<AudioFacts> {
  const { size: bytes } = await stat(path);
  if (bytes === 0) throw new Failure("content.audio", "the audio file is empty (0 bytes)");
  const { format } = await parse(path);
  const container =
    containers[(format.container ?? "").toLowerCase()] ??
    (/^(m4a|m4b|mp4|isom|iso\d|dash|3gp|qt)/i.test(format.container ?? "") ? containers["mp4"] : undefined);
  if (!container) throw new Failure("content.audio", `the audio is of an unusual kind (${format.container ?? "unknown"})`);
  if (format.hasVideo) throw new Failure("content.audio", "the file is a video");
  if (format.hasAudio === false || !format.duration || !Number.isFinite(format.duration))
    throw new Failure("content.audio", "the audio file holds no sound");
  return {
    seconds: format.duration,
    mime: container.mime,
    bytes,
    codec: format.codec ?? "unknown",
    format: /Layer [12]$/.test(format.codec ?? "") ? "mp2" : container.format,
  };
}

/** From an open file and not from a blob: Node refuses the rest of a blob once its file was touched, even with the same content. */
async function parse(path: string): Promise<IAudioMetadata> {
  const file = await fromFile(path);
  try {
    // Without its name, so that the parser is chosen by content.
    file.fileInfo = { size: file.fileInfo.size ?? 0 };
    return await parseFromTokenizer(file, { duration: true, skipCovers: true });
  } catch (error) {
    // A disk that can't be read says nothing about the recording.
    if (error instanceof Error && "syscall" in error) throw error;
    throw new Failure("content.audio", "the audio file is not audio, or is damaged", { cause: error });
  } finally {
    await file.close();
  }
}
