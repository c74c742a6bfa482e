import { randomBytes } from "node:crypto";
import { lstat, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { UsageError } from "../kit/config.ts";

/** What is exported: as CSV where the file's name says so, else JSON. */
export function formatOf(out: string | undefined): "csv" | "json" {
  return out?.toLowerCase().endsWith(".csv") ? "csv" : "json";
}

/**
 * To a file that only its owner reads, whatever was there before and whoever could read that, or to what a link leads to; it is
 * there when all of it is. To a pipe or a device as to any; absent: to stdout.
 * @throws UsageError
 */
export async function writeOut(out: string | undefined, answer: string | object): Promise<void> {
  const text = typeof answer === "string" ? answer : `${JSON.stringify(answer, null, 2)}\n`;
  if (!out) return void process.stdout.write(text);
  await put(out, text).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${out} can't be written (${error.code}).`);
  });
}

async function put(out: string, text: string): Promise<void> {
  if (!(await orNull(lstat(out)))) return replace(out, text);
  const there = await orNull(stat(out));
  // Where a link leads to nothing yet, that is made by writing through it.
  if (!there) return writeFile(out, text, { mode: 0o600 });
  // /dev/stdout leads to a file that somebody else has opened: another one in its place would not be read.
  if (!there.isFile() || out.startsWith("/dev/")) return writeFile(out, text, { flag: "a" });
  return replace(await realpath(out), text);
}

async function orNull<T>(found: Promise<T>): Promise<T | null> {
  return found.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

/** A name of its own, so that two exports and what lies there already leave each other alone. */
async function replace(file: string, text: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString("hex")}.new`;
  try {
    await writeFile(aside, text, { mode: 0o600, flag: "wx" });
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
