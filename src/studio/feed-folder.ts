import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { StudioContext } from "./context.ts";
import { newToken } from "./ids.ts";

/** Another process may have written a document that its build is about to name. */
const KEPT_MS = 10 * 60_000;

/** The documents of one show's feed on this machine, named after their content: `<dataDir>/studio/feeds/<guid>/<sha>.xml`. */
export class FeedFolder {
  readonly #path: string;

  constructor({ config }: Pick<StudioContext, "config">, show: string) {
    this.#path = join(config.dataDir, "studio", "feeds", show);
  }

  /** @returns null when it is not here */
  async read(sha: string): Promise<Buffer | null> {
    return readFile(this.#file(sha)).catch(absent);
  }

  async has(sha: string): Promise<boolean> {
    return (await stat(this.#file(sha)).catch(absent)) !== null;
  }

  /** Whole or not at all, and on disk when this is done. */
  async write(sha: string, xml: string): Promise<void> {
    const now = new Date();
    // It is needed again: its age must not take it away.
    const there = await utimes(this.#file(sha), now, now).then(
      () => true,
      () => false,
    );
    if (there) return;
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    const part = join(this.#path, `${newToken()}.part`);
    try {
      const file = await open(part, "wx", 0o600);
      try {
        await file.writeFile(xml);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(part, this.#file(sha));
    } finally {
      await rm(part, { force: true });
    }
  }

  /** Takes away what no build names any more, and what one has left half-written. */
  async sweep(named: ReadonlySet<string>): Promise<void> {
    const names = (await readdir(this.#path).catch(absent)) ?? [];
    for (const name of names.filter((each) => !named.has(each.replace(/\.xml$/, "")))) {
      const path = join(this.#path, name);
      const age = Date.now() - ((await stat(path).catch(absent))?.mtimeMs ?? Date.now());
      if (age > KEPT_MS) await rm(path, { force: true });
    }
  }

  /** With all that is in it. */
  async remove(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }

  #file(sha: string): string {
    return join(this.#path, `${sha}.xml`);
  }
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}
