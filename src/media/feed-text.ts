import { isUtf8 } from "node:buffer";

/** A feed is in an encoding that is not known here. */
export class UnknownEncoding extends Error {
  override readonly name = "UnknownEncoding";
}

const marks = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xfe, 0xff], "utf-16be"],
  [[0xff, 0xfe], "utf-16le"],
  [[0x00, 0x3c], "utf-16be"],
  [[0x3c, 0x00], "utf-16le"],
] as const;

/**
 * A feed's text: in the encoding that its first bytes tell, else the header, else its own declaration. What is whole UTF-8 is read as
 * that, whatever a server says of all its files.
 * @param contentType the header. @throws UnknownEncoding with a sentence
 */
export function feedText(bytes: Uint8Array, contentType = ""): string {
  const marked = marks.find(([mark]) => mark.every((byte, index) => bytes[index] === byte))?.[1];
  if (marked) return new TextDecoder(marked).decode(bytes);
  const start = Buffer.from(bytes.subarray(0, 300)).toString("latin1");
  const said = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType)?.[1];
  const label = said ?? /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']*)["']/.exec(start)?.[1] ?? "utf-8";
  const decoder = decoderOf(label);
  // A declaration that can be read byte by byte is in no UTF-16; ISO-2022-JP alone looks like UTF-8 and is none.
  if (decoder.encoding !== "iso-2022-jp" && (decoder.encoding.startsWith("utf-") || isUtf8(bytes))) return new TextDecoder().decode(bytes);
  return decoder.decode(bytes);
}

function decoderOf(label: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(label);
  } catch (cause) {
    throw new UnknownEncoding(`is in an encoding that nobody here knows ("${label.slice(0, 40)}"); UTF-8 is what feeds are in`, { cause });
  }
}
