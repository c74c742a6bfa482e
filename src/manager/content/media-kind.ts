import type { FileHandle } from "node:fs/promises";

export interface MediaKind {
  mime: string;
  ending: string;
}

const HEAD_BYTES = 32;

/** First bytes; the brand in bytes 8-11 of an ISO file says which of its many kinds it is. */
const kinds: readonly (MediaKind & { matches: (head: Buffer) => boolean })[] = [
  { mime: "image/jpeg", ending: "jpg", matches: (head) => head.toString("hex", 0, 3) === "ffd8ff" },
  { mime: "image/png", ending: "png", matches: (head) => head.toString("hex", 0, 8) === "89504e470d0a1a0a" },
  { mime: "image/gif", ending: "gif", matches: (head) => /^GIF8[79]a/.test(head.toString("latin1")) },
  { mime: "image/webp", ending: "webp", matches: (head) => /^RIFF[^]{4}WEBP/.test(head.toString("latin1")) },
  { mime: "audio/wav", ending: "wav", matches: (head) => /^RIFF[^]{4}WAVE/.test(head.toString("latin1")) },
  { mime: "audio/mp4", ending: "m4a", matches: (head) => /^[^]{4}ftypM4[ABP] /.test(head.toString("latin1")) },
  {
    mime: "video/mp4",
    ending: "mp4",
    matches: (head) => /^[^]{4}ftyp(isom|iso[2-9]|mp4[12]|avc1|dash|M4V |MSNV)/.test(head.toString("latin1")),
  },
  { mime: "audio/mpeg", ending: "mp3", matches: (head) => head.toString("latin1", 0, 3) === "ID3" || startsFrame(head) },
];

/** @returns null for an empty file and for what is none of these; name and declared type can say anything and are not asked */
export async function mediaKind(file: FileHandle): Promise<MediaKind | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  if (bytesRead < 4) return null;
  const kind = kinds.find(({ matches }) => matches(buffer));
  if (!kind) return null;
  const { mime, ending } = kind;
  if (mime === "video/mp4" && !(await hasPicture(file))) return { mime: "audio/mp4", ending: "m4a" };
  return { mime, ending };
}

/** The head of a frame of MPEG layer III whose version, bit rate and sampling rate there are. */
function startsFrame(head: Buffer): boolean {
  const [first = 0, second = 0, third = 0] = head;
  const [version, layer, bitRate, samplingRate] = [(second >> 3) & 3, (second >> 1) & 3, third >> 4, (third >> 2) & 3];
  return first === 0xff && second >> 5 === 7 && version !== 1 && layer === 1 && bitRate !== 0 && bitRate !== 15 && samplingRate !== 3;
}

/** Many recorders write sound alone under a brand for video: only the tracks tell. */
async function hasPicture(file: FileHandle): Promise<boolean> {
  const tracks = await readBox(file, "moov");
  // Without the table of tracks (a broken or a split file) the brand is all there is to go by.
  if (!tracks) return true;
  for (let at = tracks.indexOf("hdlr"); at !== -1; at = tracks.indexOf("hdlr", at + 4))
    if (tracks.toString("latin1", at + 12, at + 16) === "vide") return true;
  return false;
}

const MAX_BOXES = 1000;
const MAX_BOX_BYTES = 32 * 1024 * 1024;

/** The content of a box at the top of an ISO file. */
async function readBox(file: FileHandle, name: string): Promise<Buffer | null> {
  for (let at = 0, boxes = 0; boxes < MAX_BOXES; boxes += 1) {
    const { buffer: head, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, at);
    if (bytesRead < 8) return null;
    // 1: the size stands behind the name, in eight bytes; 0: to the end of the file, which is the last box.
    const short = head.readUInt32BE(0);
    const bytes = short === 1 ? Number(head.readBigUInt64BE(8)) : short;
    if (head.toString("latin1", 4, 8) === name) {
      const content = Buffer.alloc(Math.min(bytes || MAX_BOX_BYTES, MAX_BOX_BYTES));
      const read = await file.read(content, 0, content.length, at);
      return content.subarray(0, read.bytesRead);
    }
    if (bytes < 8) return null;
    at += bytes;
  }
  return null;
}
