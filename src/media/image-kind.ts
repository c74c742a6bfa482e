/**
 * Image kinds by their first bytes. Only these are ever shown to the decoder: SVG and other documents can name files
 * and addresses, and a decoder that follows them would read for a stranger.
 */
const kinds: readonly { kind: string; matches: (head: Buffer) => boolean }[] = [
  { kind: "JPEG", matches: (head) => head.readUIntBE(0, 3) === 0xff_d8_ff },
  { kind: "PNG", matches: (head) => head.toString("latin1", 1, 4) === "PNG" },
  { kind: "GIF", matches: (head) => /^GIF8[79]a/.test(head.toString("latin1", 0, 6)) },
  { kind: "WebP", matches: (head) => head.toString("latin1", 0, 4) === "RIFF" && head.toString("latin1", 8, 12) === "WEBP" },
  { kind: "AVIF", matches: (head) => /^ftypavi[fs]/.test(head.toString("latin1", 4, 12)) },
  { kind: "TIFF", matches: (head) => /^(II\*\0|MM\0\*)/.test(head.toString("latin1", 0, 4)) },
];

/** @returns null for anything that is not one of the image kinds we open */
export function imageKind(head: Buffer): string | null {
  if (head.length < 12) return null;
  return kinds.find(({ matches }) => matches(head))?.kind ?? null;
}
