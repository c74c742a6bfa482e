import { createHash } from "node:crypto";

/** The namespace of names in the DNS, RFC 9562. */
const DNS = Buffer.from("6ba7b8109dad11d180b400c04fd430c8", "hex");

/** A site has no row of its own: its id is made of its host (UUID version 5), the same everywhere and for ever. */
export function siteId(site: string): string {
  const bytes = createHash("sha1").update(DNS).update(site).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
