import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright";
import type { Stage } from "./stage.ts";
import { withDeadline } from "../kit/deadline.ts";
import { redact } from "../kit/redact.ts";
import { scrubTrace } from "./scrub-trace.ts";

/** A page that hangs must not keep the failure from being told. */
const EACH_WITHIN_MS = 10_000;

/**
 * What is kept of a failure: a screenshot, the address, the page's text structure, and a trace that Playwright's viewer
 * opens. Nothing is recorded while credentials are typed: a failed sign-in has no trace.
 */
export class Evidence {
  readonly #stage: Stage;
  readonly #folder: string;
  #tracing = false;
  #kept = 0;

  constructor(stage: Stage, folder: string) {
    this.#stage = stage;
    this.#folder = folder;
  }

  async record(): Promise<void> {
    if (this.#tracing) return;
    await this.#stage.context.tracing.start({ snapshots: true, screenshots: false, sources: false });
    this.#tracing = true;
  }

  /** Ends the recording and forgets it, with all requests in it. */
  async pause(): Promise<void> {
    if (!this.#tracing) return;
    this.#tracing = false;
    await this.#stage.context.tracing.stop().catch(() => undefined);
  }

  /** @returns the absolute paths of what could be kept */
  async keep(name: string): Promise<string[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#kept += 1;
    const base = join(this.#folder, `${String(this.#kept).padStart(2, "0")}-${name}`);
    const { page, context } = this.#stage;
    await withDeadline(EACH_WITHIN_MS, "ending the navigation", async () => stopLoading(page)).catch(() => undefined);
    const files: [string, (path: string) => Promise<unknown>][] = [
      [`${base}.png`, async (path) => page.screenshot({ path, timeout: EACH_WITHIN_MS })],
      [`${base}.url.txt`, async (path) => writeFile(path, `${redact(withoutQuerySecrets(page.url()))}\n`, { mode: 0o600 })],
      [
        `${base}.page.txt`,
        async (path) => writeFile(path, redact(await page.locator("body").ariaSnapshot({ timeout: EACH_WITHIN_MS })), { mode: 0o600 }),
      ],
    ];
    if (this.#tracing) {
      this.#tracing = false;
      files.push([
        `${base}.trace.zip`,
        async (path) => {
          await context.tracing.stop({ path });
          await scrubTrace(path);
        },
      ]);
    }
    const kept: string[] = [];
    for (const [path, write] of files) {
      const done = await withDeadline(EACH_WITHIN_MS, `keeping ${path}`, async () => write(path)).then(
        () => true,
        () => false,
      );
      if (done) kept.push(path);
    }
    return kept;
  }
}

/** A navigation that the site never answers holds up pictures, texts and the trace alike. */
async function stopLoading(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.stopLoading");
  await session.detach();
}

function withoutQuerySecrets(url: string): string {
  return url.replace(/([?&](?:code|token|key|session|sid|auth|ticket|state)=)[^&#]+/gi, "$1[secret]");
}
