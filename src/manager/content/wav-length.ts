import type { FileHandle } from "node:fs/promises";

const MAX_CHUNKS = 100;

/** Length of a WAV file by its header. @returns seconds, or null when the header does not say */
export async function wavSeconds(file: FileHandle, fileBytes: number): Promise<number | null> {
  let bytesPerSecond = 0;
  for (let at = 12, chunks = 0; chunks < MAX_CHUNKS; chunks += 1) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(24), 0, 24, at);
    if (bytesRead < 8) return null;
    const [name, bytes] = [buffer.toString("latin1", 0, 4), buffer.readUInt32LE(4)];
    if (name === "fmt " && bytesRead >= 20) bytesPerSecond = buffer.readUInt32LE(16);
    if (name === "data") {
      if (bytesPerSecond === 0) return null;
      // What was written to a pipe has no true size in its header.
      const sound = Math.min(bytes, fileBytes - at - 8);
      return Math.round((sound / bytesPerSecond) * 1000) / 1000;
    }
    at += 8 + bytes + (bytes % 2);
  }
  return null;
}
