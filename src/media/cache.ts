import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskFailure } from "./disk.ts";

/** What a kept file is: the key says all that went into it, so it never has to be checked against its source. */
export interface CacheEntry {
  cacheDir: string;
  /** Folder: "covers", "voice" … */
  kind: string;
  /** Everything the content depends on. */
  key: readonly (string | number)[];
  /** With its dot, or "". */
  ending: string;
  /** Older ones are made again, ms; absent: for ever. */
  maxAgeMs?: number;
}

export interface Cached<Facts> {
  path: string;
  /** What was learnt while it was made, fixes included: the same on every later run. */
  facts: Facts;
}

export interface CacheUse {
  signal: AbortSignal;
  /** 0..1 */
  onProgress?: (share: number) => void;
}

/** Writes the file to `path` and returns its facts (plain JSON). */
export type Make<Facts> = (path: string, onProgress: (share: number) => void, signal: AbortSignal) => Promise<Facts>;

interface Flight {
  work: Promise<Cached<unknown>>;
  controller: AbortController;
  waiting: number;
  listeners: Set<(share: number) => void>;
}

/** Work under way in this process, by path. */
const flights = new Map<string, Flight>();

export function hashOf(parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 40);
}

/** A new name for unfinished work; what is left there by a crash, sweepCache removes. */
export async function temporaryPath(cacheDir: string): Promise<string> {
  const folder = join(cacheDir, "tmp");
  await mkdir(folder, { recursive: true });
  return join(folder, randomUUID());
}

/**
 * The file, from the cache or made now. Two who ask at once wait for one making; it is canceled when nobody waits any
 * more. A file appears whole or not at all (temporary name, then renamed), its facts after it.
 * @throws what `make` throws; Failure farm.disk; what the signal was aborted with
 */
export async function cached<Facts>(entry: CacheEntry, make: Make<Facts>, use: CacheUse): Promise<Cached<Facts>> {
  const path = entryPath(entry);
  for (;;) {
    use.signal.throwIfAborted();
    const kept = await read<Facts>(entry, path);
    if (kept) return kept;
    const flight = flights.get(path) ?? start(entry, path, make);
    if (!flight.controller.signal.aborted) return (await ride(flight, use)) as Cached<Facts>;
    await flight.work.catch(() => undefined);
  }
}

/** Forgets a file that turned out to be of no use, so that the next try makes it again. */
export async function forget(entry: CacheEntry): Promise<void> {
  const path = entryPath(entry);
  await Promise.all([rm(`${path}.json`, { force: true }), rm(path, { force: true })]);
}

function entryPath(entry: CacheEntry): string {
  return join(entry.cacheDir, entry.kind, `${hashOf(entry.key)}${entry.ending}`);
}

async function read<Facts>({ maxAgeMs }: CacheEntry, path: string): Promise<Cached<Facts> | null> {
  try {
    const { facts, bytes, madeAt } = JSON.parse(await readFile(`${path}.json`, "utf8")) as { facts: Facts; bytes: number; madeAt: number };
    if (maxAgeMs !== undefined && Date.now() - madeAt > maxAgeMs) return null;
    if ((await stat(path)).size !== bytes) return null;
    // Used now: the sweep takes what was not used for the longest time.
    const now = new Date();
    await Promise.all([utimes(path, now, now), utimes(`${path}.json`, now, now)]);
    return { path, facts };
  } catch {
    return null;
  }
}

function start<Facts>(entry: CacheEntry, path: string, make: Make<Facts>): Flight {
  const controller = new AbortController();
  const listeners = new Set<(share: number) => void>();
  const report = (share: number): void => {
    for (const listener of listeners) listener(share);
  };
  const work = build(entry, path, async (temporary) => make(temporary, report, controller.signal)).finally(() => flights.delete(path));
  work.catch(() => undefined);
  const flight: Flight = { work, controller, waiting: 0, listeners };
  flights.set(path, flight);
  return flight;
}

async function build<Facts>(entry: CacheEntry, path: string, make: (temporary: string) => Promise<Facts>): Promise<Cached<Facts>> {
  try {
    const temporary = await temporaryPath(entry.cacheDir);
    try {
      const facts = await make(temporary);
      const { size: bytes } = await stat(temporary);
      await mkdir(dirname(path), { recursive: true });
      await rename(temporary, path);
      await writeFile(temporary, JSON.stringify({ facts, bytes, madeAt: Date.now() }), { flush: true });
      await rename(temporary, `${path}.json`);
      return { path, facts };
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (error) {
    throw diskFailure(error);
  }
}

async function ride(flight: Flight, { signal, onProgress }: CacheUse): Promise<Cached<unknown>> {
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(signal.reason);
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave, { once: true });
  if (onProgress) flight.listeners.add(onProgress);
  flight.waiting += 1;
  try {
    return await Promise.race([flight.work, left.promise]);
  } finally {
    signal.removeEventListener("abort", leave);
    if (onProgress) flight.listeners.delete(onProgress);
    flight.waiting -= 1;
    if (flight.waiting === 0 && signal.aborted) {
      flight.controller.abort(signal.reason);
      await flight.work.catch(() => undefined);
    }
  }
}
