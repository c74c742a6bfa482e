import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, copyFile, link, open, opendir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { MediaFile, MediaStore, NewFile } from "./store.ts";

/** Unfinished copies begin with a dot: never served, never listed, and swept by their age. */
const HALF = ".half-";
/** The uploads lie on another disk, or on one that knows no second names. */
const cannotLink: ReadonlySet<string> = new Set(["EXDEV", "EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK"]);
const HALF_LIVES_MS = 24 * 60 * 60_000;

/**
 * A folder. A file gets its name when its bytes are on the disk, and the name is on the disk when `put` is done, so that a power cut
 * leaves either the whole file or none. @param folder exists
 */
export function openDiskStore(folder: string): MediaStore {
  const at = (name: string): string => join(folder, name);
  return {
    place: folder,
    async put(file) {
      while (!(await place(file, at(file.name), join(folder, `${HALF}${randomUUID()}`))));
      await syncFolder(folder);
    },
    async head(name) {
      const facts = await missingIsNull(stat(at(name)));
      return facts?.isFile() ? { name, bytes: facts.size, changedAt: facts.mtime } : null;
    },
    async read(name, range) {
      const file = await missingIsNull(open(at(name)));
      return file && createReadStream("", { fd: file, ...(range && { start: range.start, end: range.end }) });
    },
    async withLocalFile(name, use) {
      return (await missingIsNull(stat(at(name)))) && use(at(name));
    },
    async remove(name) {
      await rm(at(name), { force: true });
    },
    list: () => list(folder),
    check: async () =>
      access(folder, constants.R_OK | constants.W_OK).then(
        () => null,
        (error: NodeJS.ErrnoException) => `the media folder can't be used (${error.code})`,
      ),
    close: async () => undefined,
  };
}

/** Under its hash a file is written once and never again: somebody may be reading what is there. @returns false: to be tried again */
async function place({ fromPath, bytes }: NewFile, path: string, half: string): Promise<boolean> {
  const there = await missingIsNull(stat(path));
  if (there?.size === bytes) {
    const now = new Date();
    // A sweep may take it away at this very moment.
    return (await missingIsNull(utimes(path, now, now).then(() => true))) ?? false;
  }
  try {
    await link(fromPath, half).catch(async (error: NodeJS.ErrnoException) => {
      if (!cannotLink.has(error.code ?? "")) throw error;
      await copyFile(fromPath, half);
      await syncFile(half);
    });
    const now = new Date();
    await utimes(half, now, now);
    await rename(half, path);
    return true;
  } finally {
    // Two names of one file: renaming one to the other does nothing, and leaves both.
    await rm(half, { force: true });
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The names in it. Some systems can't sync a folder, and keep names otherwise. */
export async function syncFolder(folder: string): Promise<void> {
  await syncFile(folder).catch((error: NodeJS.ErrnoException) => {
    if (!["EISDIR", "EPERM", "EINVAL", "EACCES"].includes(error.code ?? "")) throw error;
  });
}

async function* list(folder: string): AsyncIterable<MediaFile> {
  for await (const entry of await opendir(folder)) {
    if (!entry.isFile()) continue;
    // Gone since it was listed: somebody else sweeps.
    const facts = await missingIsNull(stat(join(folder, entry.name)));
    if (!facts) continue;
    if (!entry.name.startsWith(".")) yield { name: entry.name, bytes: facts.size, changedAt: facts.mtime };
    else if (entry.name.startsWith(HALF) && Date.now() - facts.ctimeMs > HALF_LIVES_MS) await rm(join(folder, entry.name), { force: true });
  }
}

async function missingIsNull<T>(work: Promise<T>): Promise<T | null> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ENAMETOOLONG") return null;
    throw error;
  });
}
