import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { isUtf8 } from "node:buffer";
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { redact } from "../kit/redact.ts";

/**
 * A trace records each request with its headers, and with them the session's cookies. They are taken out before the file
 * stays on disk. The few zip structures are read and written by hand: a trace holds nothing but plain entries.
 */
interface ZipEntry {
  name: Buffer;
  method: number;
  data: Buffer;
  crc: number;
  size: number;
}

const STORED = 0;
const DEFLATED = 8;
const headerValue = /("name":"(?:cookie|set-cookie|authorization|proxy-authorization|x-csrf-token|x-api-key)","value":")(?:[^"\\]|\\.)*"/gi;
/** The parsed form beside the header. */
const cookieList = /"cookies":\[\{(?:[^\]"]|"(?:[^"\\]|\\.)*")*\]/g;

/** @param raw a trace as Playwright wrote it  @param path where it may be seen, once it is clean */
export async function scrubTrace(raw: string, path: string): Promise<void> {
  const part = `${path}.part`;
  try {
    const entries = readZip(await readFile(raw)).map(scrubEntry);
    await writeFile(part, writeZip(entries), { mode: 0o600 });
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
}

/** Requests' bodies lie beside the record, under names that say nothing of what they are: whatever is text is read. */
function scrubEntry(entry: ZipEntry): ZipEntry {
  const bytes = entry.method === DEFLATED ? inflateRawSync(entry.data) : entry.data;
  if (!isUtf8(bytes)) return entry;
  const text = bytes.toString("utf8");
  const clean = Buffer.from(redact(text.replace(headerValue, '$1[secret]"').replace(cookieList, '"cookies":[]')));
  return { name: entry.name, method: DEFLATED, data: deflateRawSync(clean), crc: crc32(clean), size: clean.length };
}

function readZip(file: Buffer): ZipEntry[] {
  const end = file.lastIndexOf("PK\x05\x06", undefined, "latin1");
  if (end < 0) throw new Error("the trace is not a zip file");
  const entries: ZipEntry[] = [];
  let at = file.readUInt32LE(end + 16);
  for (let left = file.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = file.readUInt16LE(at + 28);
    const local = file.readUInt32LE(at + 42);
    const begin = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    entries.push({
      name: file.subarray(at + 46, at + 46 + nameLength),
      method: file.readUInt16LE(at + 10),
      data: file.subarray(begin, begin + file.readUInt32LE(at + 20)),
      crc: file.readUInt32LE(at + 16),
      size: file.readUInt32LE(at + 24),
    });
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return entries;
}

function writeZip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, method, data, crc, size } of entries) {
    // Version, flags (UTF-8 names), method, time, date, checksum, sizes, name length, extra length: the same in both places.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(method === STORED ? STORED : DEFLATED, 4);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(name.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    parts.push(Buffer.from("PK\x03\x04", "latin1"), common, name, data);
    directory.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, rest, name);
    offset += 30 + name.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}
