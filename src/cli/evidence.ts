import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { styleText } from "node:util";
import { UsageError, type Config } from "../kit/config.ts";
import { table } from "./table.ts";

/** One failure's folder, or a file that was kept by itself. */
interface Kept {
  path: string;
  name: string;
  at: Date;
  files: string[];
}

/** Prints what was kept of a task, newest last; or which tasks something was kept of. @returns 0, or 1 when there is nothing */
export async function showEvidence(config: Config, task: string | undefined): Promise<number> {
  const root = join(config.data, "evidence");
  if (task === undefined) return listTasks(root);
  // As the coordinator names the folder.
  const folder = join(root, task.replaceAll(/[^\w.-]/g, "_"));
  const kept = await keptIn(folder);
  if (kept.length === 0) {
    process.stdout.write(`Nothing is kept of ${task} below ${root}.\n`);
    return 1;
  }
  for (const one of kept) process.stdout.write(`${await sayKept(one)}\n`);
  return 0;
}

async function listTasks(root: string): Promise<number> {
  const names = await readdir(root).catch(() => []);
  const rows = await Promise.all(names.map(async (name) => ({ name, kept: await keptIn(join(root, name)) })));
  const full = rows.filter(({ kept }) => kept.length > 0).sort((one, other) => newest(one.kept) - newest(other.kept));
  if (full.length === 0) {
    process.stdout.write(`Nothing is kept below ${root}.\n`);
    return 1;
  }
  const lines = full.map(({ name, kept }) => [name, timeOf(new Date(newest(kept))), kept.map((one) => one.name).join(", ")]);
  process.stdout.write(`${table([["TASK", "NEWEST", "KEPT"], ...lines])}\n\npodcrew evidence TASK shows more.\n`);
  return 0;
}

/** The failure's folder that a run has just left behind, for a person; "" when it left nothing. */
export async function sayNewest(paths: readonly string[]): Promise<string> {
  const [first] = paths;
  if (first === undefined) return "";
  const folder = dirname(first);
  const one = (await keptIn(dirname(folder))).find(({ path }) => path === folder);
  return one ? `${await sayKept(one)}\n` : `${paths.join("\n")}\n`;
}

async function keptIn(folder: string): Promise<Kept[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw new UsageError(`${folder} can't be read (${error.code}).`);
  });
  return Promise.all(
    entries
      .toSorted((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }))
      .map(async (entry) => {
        const path = join(folder, entry.name);
        const files = entry.isDirectory() ? (await readdir(path)).sort() : [];
        return { path, name: entry.name, at: (await stat(path)).mtime, files };
      }),
  );
}

function newest(kept: readonly Kept[]): number {
  return Math.max(...kept.map(({ at }) => at.getTime()));
}

function timeOf(at: Date): string {
  return at.toISOString().slice(0, 19).replace("T", " ");
}

async function sayKept({ path, name, at, files }: Kept): Promise<string> {
  const lines = [`${styleText("bold", name)}  ${styleText("dim", timeOf(at))}`];
  const read = async (file: string): Promise<string> => (await readFile(join(path, file), "utf8")).trim();
  if (files.includes("address.txt")) lines.push(`  at ${await read("address.txt")}`);
  if (files.includes("locator.txt")) lines.push((await read("locator.txt")).replaceAll(/^(?=.)/gm, "  "));
  for (const file of files) lines.push(`  ${styleText("cyan", join(path, file))}`);
  if (files.length === 0) lines.push(`  ${styleText("cyan", path)}`);
  if (files.includes("trace.zip")) lines.push(`  open the trace: npx playwright show-trace ${join(path, "trace.zip")}`);
  return `${lines.join("\n")}\n`;
}
