import { createMp3Encoder } from "wasm-media-encoders";

export const MP3_HZ = 44_100;
/** kbit/s by channels, constant: 96 is plenty for one voice. At these rates LAME turns the sound down by `scale`, which we undo. */
const settings = { 1: { kbits: 96, scale: 0.95 }, 2: { kbits: 192, scale: 0.97 } } as const;

export interface Mp3Stream {
  /** All channels of one piece, same lengths; returns what is ready. */
  push(channels: readonly Float32Array[]): Uint8Array;
  end(): Uint8Array;
}

/** LAME at a constant bit rate, 44.1 kHz; memory does not grow with the length. */
export async function createMp3Stream(channels: 1 | 2): Promise<Mp3Stream> {
  const encoder = await createMp3Encoder();
  const { kbits, scale } = settings[channels];
  encoder.configure({ sampleRate: MP3_HZ, channels, bitrate: kbits });
  // The encoder hands out a view of its own memory, which the next call overwrites.
  return {
    push: (sound) => encoder.encode(sound.map((samples) => samples.map((sample) => sample / scale))).slice(),
    end: () => encoder.finalize().slice(),
  };
}

/** An ID3v2.3 tag with a title, so that players show more than a file name; empty for no title. */
export function id3Title(title: string): Buffer {
  if (title === "") return Buffer.alloc(0);
  const text = Buffer.concat([Buffer.from([1, 0xff, 0xfe]), Buffer.from(title, "utf16le")]);
  const frame = Buffer.alloc(10);
  frame.write("TIT2", 0, "latin1");
  frame.writeUInt32BE(text.length, 4);
  const head = Buffer.from([0x49, 0x44, 0x33, 3, 0, 0, 0, 0, 0, 0]);
  const size = frame.length + text.length;
  // Seven bits a byte, so that a size never looks like a frame of sound.
  for (let index = 0; index < 4; index += 1) head[6 + index] = (size >> (7 * (3 - index))) & 0x7f;
  return Buffer.concat([head, frame, text]);
}
