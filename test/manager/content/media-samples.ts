/** The least that tells a file's kind by its content. */
const bytes = (...parts: (string | number[] | Buffer)[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part)))));

const REST = "x".repeat(100);

function uint32LE(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
}

function box(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length + 8);
  head.write(name, 4, "latin1");
  return Buffer.concat([head, content]);
}

const handler = (type: string): Buffer => box("hdlr", Buffer.from(`\0\0\0\0\0\0\0\0${type}\0\0\0\0`, "latin1"));

/** An ISO file whose tracks are of these types, its sound before its table. */
function iso(brand: string, ...tracks: string[]): Uint8Array<ArrayBuffer> {
  return bytes(
    box("ftyp", Buffer.from(`${brand}\0\0\0\0${brand}`, "latin1")),
    box("mdat", Buffer.alloc(1000)),
    box("moov", Buffer.concat(tracks.map((type) => box("trak", box("mdia", handler(type)))))),
  );
}

/** 16 bit, mono, 8,000 a second, with a chunk of odd size before the sound. */
export function wav(seconds: number): Uint8Array<ArrayBuffer> {
  const sound = Buffer.alloc(seconds * 16_000);
  const format = bytes("fmt ", uint32LE(16), [1, 0, 1, 0], uint32LE(8000), uint32LE(16_000), [2, 0, 16, 0]);
  const rest = bytes("WAVE", Buffer.from(format), "LIST", uint32LE(3), [1, 2, 3, 0], "data", uint32LE(sound.length), sound);
  return bytes("RIFF", uint32LE(rest.length), Buffer.from(rest));
}

export const samples = {
  jpeg: bytes([0xff, 0xd8, 0xff, 0xe0], REST),
  png: bytes([0x89], "PNG\r\n", [0x1a], "\n", REST),
  gif: bytes("GIF89a", REST),
  webp: bytes("RIFF", uint32LE(100), "WEBP", REST),
  wav: wav(2),
  mp3: bytes([0xff, 0xfb, 0x90, 0x64], REST),
  taggedMp3: bytes("ID3", [4, 0, 0], REST),
  m4a: iso("M4A ", "soun"),
  soundAlone: iso("isom", "soun"),
  mp4: iso("isom", "soun", "vide"),
  svg: bytes('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
  page: bytes("<!doctype html><script>alert(1)</script>"),
  heic: iso("heic", "pict"),
  none: bytes(),
} as const;
