const RATE = 8000;
const SECONDS = 0.25;
const HEADER_BYTES = 44;

/** A quarter of a second of a tone as a WAV file: ready-made audio, so that nothing has to be narrated or converted. */
export function beep(hertz = 440): Buffer {
  const samples = RATE * SECONDS;
  const wav = Buffer.alloc(HEADER_BYTES + samples);
  wav.write("RIFF", 0, "latin1");
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write("WAVEfmt ", 8, "latin1");
  wav.writeUInt32LE(16, 16);
  // PCM, one channel, one byte a sample.
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(RATE, 28);
  wav.writeUInt16LE(1, 32);
  wav.writeUInt16LE(8, 34);
  wav.write("data", 36, "latin1");
  wav.writeUInt32LE(samples, 40);
  for (let i = 0; i < samples; i++) wav[HEADER_BYTES + i] = 128 + Math.round(60 * Math.sin((2 * Math.PI * hertz * i) / RATE));
  return wav;
}
