import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** One state of a driver file, together with the files beside it that it imports. */
export interface DriverCopy {
  /** Of all of them, hex. */
  hash: string;
  /** The driver's own address with `?copy=`: it loads what was kept, however the file has changed since. */
  module: string;
}

/** The files that `import … from "./x.ts"` names, also with `export … from` and `import("./x.ts")`. */
const besides = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.\/[^"'?#]+)["']/g;

/** @returns the files by their path below the driver's folder, the driver's own first  @throws when the driver can't be read */
async function readAll(module: string): Promise<Map<string, Buffer>> {
  const main = fileURLToPath(module);
  const root = dirname(main);
  const files = new Map<string, Buffer>([[relative(root, main), await readFile(main)]]);
  // A map hands out what is added while it is walked.
  for (const [path, content] of files) {
    for (const [, name = ""] of content.toString("utf8").matchAll(besides)) {
      const next = join(dirname(path), name);
      if (files.has(next)) continue;
      const text = await readFile(join(root, next)).catch(() => null);
      if (text) files.set(next, text);
    }
  }
  return files;
}

function hashOf(files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash("sha256");
  for (const [path, content] of [...files].toSorted(([one], [other]) => (one < other ? -1 : 1)))
    hash.update(`${path}\0${content.length}\0`).update(content);
  return hash.digest("hex");
}

/** @throws when the driver can't be read */
export async function hashDriver(module: string): Promise<string> {
  return hashOf(await readAll(module));
}

/**
 * Keeps a driver as it is now below `folder`, so that every thread loads the same, also one that starts after the file has changed.
 * @param module the driver file's address  @throws when the driver can't be read or the folder can't be written
 */
export async function copyDriver(module: string, folder: string): Promise<DriverCopy> {
  const files = await readAll(module);
  const hash = hashOf(files);
  const kept = join(folder, hash.slice(0, 16));
  const there = await access(kept).then(
    () => true,
    () => false,
  );
  if (!there) {
    const half = `${kept}.part`;
    await rm(half, { recursive: true, force: true });
    for (const [path, content] of files) {
      await mkdir(dirname(join(half, path)), { recursive: true, mode: 0o700 });
      await writeFile(join(half, path), content, { mode: 0o600 });
    }
    await rename(half, kept);
  }
  const [name = ""] = files.keys();
  const address = new URL(module);
  address.searchParams.set("copy", pathToFileURL(join(kept, name)).href);
  return { hash, module: address.href };
}
