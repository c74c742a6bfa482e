import { Failure } from "../contract/failures.ts";

/** A piece of sound: one array of samples in -1..1 a channel, all of the same length. */
export interface SoundBlock {
  sampleRate: number;
  channels: Float32Array[];
  /** Which of the WAV files in the stream, from 0. */
  file: number;
}

interface Format {
  tag: number;
  channels: number;
  sampleRate: number;
  bits: number;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xff_fe;
/** Frames read at a time. */
const BLOCK_FRAMES = 8192;
/** Programs that write to a pipe do not know the size yet and say 0 or nearly the greatest number. */
const isUnknownSize = (size: number): boolean => size === 0 || size >= 0x7f_ff_f0_00;

/**
 * Reads WAV as it arrives; several files may follow each other in one stream, as voices that speak line by line write them.
 * @throws Failure content.audio when it is no WAV or of a kind that is not plain samples
 */
export async function* readWav(stream: AsyncIterable<Uint8Array>): AsyncGenerator<SoundBlock, void, void> {
  const reader = new ByteReader(stream);
  for (let file = 0; ; file += 1) {
    const riff = await reader.read(12);
    if (riff.length === 0 && file > 0) return;
    if (riff.toString("latin1", 0, 4) !== "RIFF" || riff.toString("latin1", 8, 12) !== "WAVE")
      throw new Failure("content.audio", riff.length === 0 ? "the sound is empty" : "the sound is not WAV");
    const { format, dataBytes } = await readHead(reader);
    yield* readSamples(reader, format, dataBytes, file);
    if (isUnknownSize(dataBytes)) return;
  }
}

async function readHead(reader: ByteReader): Promise<{ format: Format; dataBytes: number }> {
  let format: Format | null = null;
  for (;;) {
    const head = await reader.read(8);
    if (head.length < 8) throw new Failure("content.audio", "the WAV file ends before its sound");
    const size = head.readUInt32LE(4);
    const name = head.toString("latin1", 0, 4);
    if (name === "data") {
      if (!format) throw new Failure("content.audio", "the WAV file does not say its format");
      return { format, dataBytes: size };
    }
    if (size > 1_000_000) throw new Failure("content.audio", "the WAV file's head is damaged");
    const body = await reader.read(size + (size % 2));
    if (name === "fmt ") format = readFormat(body);
  }
}

function readFormat(body: Buffer): Format {
  if (body.length < 16) throw new Failure("content.audio", "the WAV file's format is damaged");
  const tag = body.readUInt16LE(0);
  const format = {
    tag: tag === EXTENSIBLE && body.length >= 26 ? body.readUInt16LE(24) : tag,
    channels: body.readUInt16LE(2),
    sampleRate: body.readUInt32LE(4),
    bits: body.readUInt16LE(14),
  };
  const known = (format.tag === PCM && [8, 16, 24, 32].includes(format.bits)) || (format.tag === FLOAT && [32, 64].includes(format.bits));
  const sane = format.channels >= 1 && format.channels <= 8 && format.sampleRate >= 4000 && format.sampleRate <= 384_000;
  if (!known || !sane)
    throw new Failure(
      "content.audio",
      `the WAV file is of an unusual kind (format ${format.tag}, ${format.bits} bit, ${format.channels} channels, ${format.sampleRate} Hz)`,
    );
  return format;
}

async function* readSamples(reader: ByteReader, format: Format, dataBytes: number, file: number): AsyncGenerator<SoundBlock, void, void> {
  const frameBytes = (format.bits / 8) * format.channels;
  let left = isUnknownSize(dataBytes) ? Infinity : dataBytes;
  while (left > 0) {
    const bytes = await reader.read(Math.min(left, BLOCK_FRAMES * frameBytes));
    if (bytes.length === 0) {
      if (left === Infinity) return;
      throw new Failure("content.audio", "the WAV file is cut off");
    }
    left -= bytes.length;
    yield { sampleRate: format.sampleRate, channels: decode(bytes, format), file };
  }
  if (dataBytes % 2 === 1 && !isUnknownSize(dataBytes)) await reader.read(1);
}

function decode(bytes: Buffer, { tag, channels, bits }: Format): Float32Array[] {
  const step = bits / 8;
  const frames = Math.floor(bytes.length / (step * channels));
  const sample = tag === FLOAT ? floats[bits] : integers[bits];
  if (!sample) throw new Error(`no decoder for ${bits} bit`);
  return Array.from({ length: channels }, (_, channel) => {
    const out = new Float32Array(frames);
    for (let frame = 0; frame < frames; frame += 1) out[frame] = sample(bytes, (frame * channels + channel) * step);
    return out;
  });
}

type SampleReader = (bytes: Buffer, offset: number) => number;
const integers: Readonly<Record<number, SampleReader>> = {
  8: (bytes, offset) => (bytes.readUInt8(offset) - 128) / 128,
  16: (bytes, offset) => bytes.readInt16LE(offset) / 32_768,
  24: (bytes, offset) => bytes.readIntLE(offset, 3) / 8_388_608,
  32: (bytes, offset) => bytes.readInt32LE(offset) / 2_147_483_648,
};
const floats: Readonly<Record<number, SampleReader>> = {
  32: (bytes, offset) => bytes.readFloatLE(offset),
  64: (bytes, offset) => bytes.readDoubleLE(offset),
};

/** Pieces of any size in, pieces of the asked size out. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Fewer bytes only at the end of the stream. */
  async read(size: number): Promise<Buffer> {
    while (this.#length < size) {
      const { done, value } = await this.#source.next();
      if (done) break;
      this.#chunks.push(value);
      this.#length += value.length;
    }
    const all =
      this.#chunks.length === 1
        ? Buffer.from(this.#chunks[0]!.buffer, this.#chunks[0]!.byteOffset, this.#length)
        : Buffer.concat(this.#chunks);
    const end = Math.min(size, all.length);
    this.#chunks = end < all.length ? [all.subarray(end)] : [];
    this.#length -= end;
    return all.subarray(0, end);
  }
}

/** All channels as one. */
export function mixDown(channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(0), ...others] = channels;
  if (others.length === 0) return first;
  return first.map((sample, index) => others.reduce((sum, channel) => sum + channel[index]!, sample) / channels.length);
}

/** Head of a 16-bit mono file. */
export function wavHead(sampleRate: number, samples: number): Buffer {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(36 + samples * 2, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(PCM, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(sampleRate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(samples * 2, 40);
  return head;
}
