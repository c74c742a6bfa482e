import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createMp3Stream } from "../../src/media/mp3.ts";
import { wavHead } from "../../src/media/wav.ts";

/** A folder of this test's own, gone after it. */
export async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "podcrew-media-"));
  t.after(async () => rm(path, { recursive: true, force: true }));
  return path;
}

/** A real HTTP server on this machine; returns its origin. */
export async function site(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function sine(hz: number, amplitude: number, sampleRate: number, seconds: number, phase = 0): Float32Array {
  return Float32Array.from(
    { length: Math.round(sampleRate * seconds) },
    (_, index) => amplitude * Math.sin((2 * Math.PI * hz * index) / sampleRate + phase),
  );
}

export function wavOf(samples: Float32Array, sampleRate: number): Buffer {
  const pcm = Int16Array.from(samples, (sample) => Math.round(sample * 32_767));
  return Buffer.concat([wavHead(sampleRate, samples.length), Buffer.from(pcm.buffer)]);
}

export async function mp3Of(samples: Float32Array): Promise<Buffer> {
  const encoder = await createMp3Stream(1);
  return Buffer.concat([encoder.push([samples]), encoder.end()]);
}

export const never = new AbortController().signal;
