import { AssertionError } from "node:assert";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { redact } from "../kit/redact.ts";
import { nearestOn, sayWanted, wantedIn } from "./nearest.ts";
import { outlineOf } from "./page-outline.ts";

let folder: Promise<string> | undefined;
let kept = 0;

/** Where pictures of broken promises go: DRIVER_EVIDENCE, else a folder of this process. */
async function evidenceFolder(site: string): Promise<string> {
  const named = process.env["DRIVER_EVIDENCE"];
  if (!named) return mkdtemp(join(tmpdir(), `podcrew-${site}-`));
  await mkdir(named, { recursive: true, mode: 0o700 });
  return named;
}

/** Adds to an error what the page showed at that moment, without secrets. Never throws. @returns the same error */
export async function witnessed(thrown: unknown, page: Page, site: string): Promise<unknown> {
  if (!(thrown instanceof Error) || page.isClosed()) return thrown;
  try {
    const into = await (folder ??= evidenceFolder(site));
    const base = join(into, `${String(++kept).padStart(2, "0")}-${site}`);
    const lines = [`the page    ${redact(page.url())}`];
    const wanted = wantedIn(thrown.message);
    if (wanted) lines.unshift(sayWanted(wanted, await nearestOn(page, wanted.text)));
    const keep = async (what: string, path: string, write: () => Promise<unknown>): Promise<void> =>
      write().then(
        () => void lines.push(`${what.padEnd(11)} ${path}`),
        () => undefined,
      );
    await keep("screenshot", `${base}.png`, async () => page.screenshot({ path: `${base}.png`, timeout: 5000 }));
    await keep("outline", `${base}.aria.yml`, async () => writeFile(`${base}.aria.yml`, redact(await outlineOf(page)), { mode: 0o600 }));
    // An assertion's own comparison is made of its values: the text goes behind it.
    thrown.message = redact(
      `${thrown.message
        .split("\n")
        .slice(0, thrown instanceof AssertionError ? undefined : 1)
        .join("\n")
        .trimEnd()}\n${lines.join("\n")}`,
    );
  } catch {
    // What is broken is what matters.
  }
  return thrown;
}
