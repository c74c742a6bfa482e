import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { isAbsolute, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../contract/failures.ts";
import type { AddressPolicy } from "../kit/addresses.ts";
import { cached, forget, type CacheEntry } from "./cache.ts";
import { download } from "./download.ts";

export interface SourceOptions {
  kind: "image" | "audio";
  cacheDir: string;
  policy: AddressPolicy;
  /** Folders below which local files may be used; none: no local files. */
  mediaDirs: readonly string[];
  deadlineMs: number;
  maxBytes: number;
  signal: AbortSignal;
  onProgress: (share: number) => void;
}

export interface Source {
  path: string;
  /** Of the content, hex. */
  hash: string;
  /** The file turned out to be of no use: whoever mends it under the same address is not answered from memory. */
  discard(): Promise<void>;
}

/** A file under the same address is fetched again after this time. */
const FRESH_MS = 24 * 60 * 60_000;

/**
 * An episode's file on this machine, from an http(s) address, a data: address or a local path.
 * @throws Failure content.unreachable, content.forbidden_address
 */
export async function fetchSource(address: string, options: SourceOptions): Promise<Source> {
  if (/^file:/i.test(address) || isAbsolute(address)) return localSource(address, options);
  const entry: CacheEntry = { cacheDir: options.cacheDir, kind: "fetched", key: [options.kind, address], ending: "", maxAgeMs: FRESH_MS };
  const { path, facts } = await cached(
    entry,
    async (toPath, _onProgress, signal) => {
      await download(address, { ...options, toPath, signal });
      return { hash: await hashFile(toPath) };
    },
    { signal: options.signal },
  );
  return { path, hash: facts.hash, discard: async () => forget(entry) };
}

async function localSource(address: string, { kind, mediaDirs, maxBytes }: SourceOptions): Promise<Source> {
  const path = await realPath(/^file:/i.test(address) ? toPath(address, kind) : address);
  const allowed = (await Promise.all(mediaDirs.map(realPath))).some(
    (folder) => folder !== null && path?.startsWith(folder.endsWith(sep) ? folder : folder + sep),
  );
  // The same answer for a file that is not there: a stranger learns nothing about this machine.
  if (!path || !allowed)
    throw new Failure("content.forbidden_address", `the ${kind} is a local file that is not below MEDIA_DIRS, or does not exist there`);
  const facts = await stat(path);
  if (!facts.isFile()) throw new Failure("content.unreachable", `the local ${kind} is no file`);
  if (facts.size > maxBytes)
    throw new Failure("content.unreachable", `the local ${kind} is larger than ${Math.round(maxBytes / 1_000_000)} MB`);
  return { path, hash: await hashFile(path), discard: async () => undefined };
}

function toPath(address: string, kind: string): string {
  try {
    return fileURLToPath(address);
  } catch {
    throw new Failure("content.unreachable", `the ${kind}'s file: address is broken`);
  }
}

async function realPath(path: string): Promise<string | null> {
  return realpath(path).catch(() => null);
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
