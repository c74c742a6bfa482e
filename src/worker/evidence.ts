import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { Failure } from "../contract/failures.ts";
import { nearestOn, sayWanted, wantedIn, type Wanted } from "../driver/nearest.ts";
import { outlineOf } from "../driver/page-outline.ts";
import { withDeadline } from "../kit/deadline.ts";
import { redact } from "../kit/redact.ts";
import { scrubTrace } from "./scrub-trace.ts";
import type { Stage } from "./stage.ts";

/** A page that hangs must not keep the failure from being told. */
const EACH_WITHIN_MS = 10_000;
/** Pictures that are only kept when a click's outcome stays unknown are made of every episode, so they are made cheaply. */
const GLANCE_QUALITY = 40;
const GLANCE_WITHIN_MS = 3000;
/** What a look at a doubt may take, beside the look itself. */
const LISTING_WITHIN_MS = 20_000;
const MAX_FEED_CHARACTERS = 512 * 1024;

/** The same three in a failure's folder, and as single files beside others. */
const folderNames = { picture: "screenshot.png", address: "address.txt", outline: "page.aria.yml" } as const;
const beside = (base: string) => (kind: keyof typeof folderNames) =>
  `${base}${{ picture: ".png", address: ".url.txt", outline: ".page.txt" }[kind]}`;

/** A path and what writes it. */
type KeptFile = [string, (path: string) => Promise<unknown>];

/**
 * What is kept of a failure, in one folder: a screenshot, the address, the page's accessibility tree, the locator that was to
 * blame with what is like it on the page, and a trace that Playwright's viewer opens. Nothing is recorded while credentials are typed: a failed sign-in has no trace.
 */
export class Evidence {
  readonly #stage: Stage;
  readonly #folder: string;
  #tracing = false;
  /** Number of the newest file, over all runs of the task; null: the folder was not looked into yet. */
  #newest: number | null = null;

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

  /** The page as it is now, as a JPEG in memory; null when it can't be had at once. */
  async glance(): Promise<Buffer | null> {
    const { page } = this.#stage;
    const take = async (): Promise<Buffer> => {
      const session = await page.context().newCDPSession(page);
      try {
        const { data } = await session.send("Page.captureScreenshot", { format: "jpeg", quality: GLANCE_QUALITY, optimizeForSpeed: true });
        return Buffer.from(data, "base64");
      } finally {
        await session.detach().catch(() => undefined);
      }
    };
    return withDeadline(GLANCE_WITHIN_MS, "looking at the page", take).catch(() => null);
  }

  /** A picture that was taken before a click whose outcome is unknown. @returns its path, or none */
  async keepGlance(picture: Buffer | null): Promise<string[]> {
    if (!picture) return [];
    try {
      return await this.#all([[`${await this.#base("before-the-click")}.jpg`, async (path) => writeFile(path, picture, { mode: 0o600 })]]);
    } catch {
      return [];
    }
  }

  /** What the page shows after a click that brought no clear answer, unless it was kept with the failure. */
  async keepAfterwards(explained: Error | null): Promise<string[]> {
    if (explained instanceof Failure && explained.evidence.length > 0) return explained.evidence;
    const work = async (): Promise<string[]> => this.#all(this.#pictures(beside(await this.#base("after-the-click"))));
    return withDeadline(EACH_WITHIN_MS, "keeping the page", work).catch(() => []);
  }

  /**
   * What was seen of an episode that was looked for and not found: the page, where the driver used one, what it answered, and
   * the feed. Bounded in time and size, and never a reason to fail.
   * @param usedPage the picture shows the page that was looked at
   * @param feed reads the feed's address
   */
  async keepListing(answers: Record<string, unknown>, usedPage: boolean, feed: () => Promise<string>): Promise<string[]> {
    const kept: string[] = [];
    const work = async (): Promise<void> => {
      if (usedPage) kept.push(...(await this.#all(this.#pictures(beside(await this.#base("listing"))))));
      const text = redact(JSON.stringify({ at: new Date().toISOString(), ...answers }, null, 2));
      kept.push(
        ...(await this.#all([[`${await this.#base("look")}.json`, async (path) => writeFile(path, `${text}\n`, { mode: 0o600 })]])),
      );
      const read = await this.#readFeed(feed);
      kept.push(...(await this.#all([[`${await this.#base("feed")}.xml`, async (path) => writeFile(path, read, { mode: 0o600 })]])));
    };
    await withDeadline(LISTING_WITHIN_MS, "keeping what a look showed", work).catch(() => undefined);
    return kept;
  }

  async #readFeed(feed: () => Promise<string>): Promise<string> {
    try {
      const answer = await this.#stage.request.get(await feed(), { timeout: EACH_WITHIN_MS, maxRetries: 0 });
      const text = redact(await answer.text());
      const cut = text.length > MAX_FEED_CHARACTERS ? `\n<!-- ${text.length - MAX_FEED_CHARACTERS} more characters -->\n` : "";
      return `<!-- ${redact(withoutQuerySecrets(answer.url()))}, ${answer.status()}, ${new Date().toISOString()} -->\n${text.slice(0, MAX_FEED_CHARACTERS)}${cut}`;
    } catch (error) {
      return `<!-- the feed could not be read: ${redact(error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error))} -->\n`;
    }
  }

  /**
   * A failure's folder: `screenshot.png`, `address.txt`, `page.aria.yml`, `locator.txt` where a locator is to blame, `trace.zip`.
   * @param why what was thrown; Playwright says in it what it waited for
   * @returns the absolute paths of what could be kept
   */
  async keep(name: string, why: Error): Promise<string[]> {
    const base = await this.#base(name);
    await mkdir(base, { mode: 0o700 });
    const files = this.#pictures((kind) => join(base, folderNames[kind]));
    const wanted = wantedIn(why.cause instanceof Error ? why.cause.message : why.message);
    if (wanted) files.push([join(base, "locator.txt"), async (path) => this.#writeWanted(path, why, wanted)]);
    if (this.#tracing) {
      this.#tracing = false;
      files.push([
        join(base, "trace.zip"),
        async (path) => {
          // Among the farm's temporary files, which go even if it dies: beside the others it only comes when it is clean.
          const raw = join(tmpdir(), `trace-${randomUUID()}.zip`);
          try {
            await this.#stage.context.tracing.stop({ path: raw });
            await scrubTrace(raw, path);
          } finally {
            await rm(raw, { force: true });
          }
        },
      ]);
    }
    return this.#all(files);
  }

  async #writeWanted(path: string, why: Error, wanted: Wanted): Promise<void> {
    const { page } = this.#stage;
    const said = why instanceof Failure ? why.detail : why.message;
    const text = `${said}\n\n${sayWanted(wanted, await nearestOn(page, wanted.text))}\n`;
    await writeFile(path, redact(text), { mode: 0o600 });
  }

  async #base(name: string): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#newest ??= Math.max(0, ...(await readdir(this.#folder)).map((file) => Number.parseInt(file, 10) || 0));
    this.#newest += 1;
    return join(this.#folder, `${String(this.#newest).padStart(2, "0")}-${name}`);
  }

  #pictures(nameOf: (kind: keyof typeof folderNames) => string): KeptFile[] {
    const { page } = this.#stage;
    return [
      [
        nameOf("picture"),
        async (path) => {
          await withDeadline(EACH_WITHIN_MS, "ending the navigation", async () => stopLoading(page)).catch(() => undefined);
          await writeFile(path, await page.screenshot({ timeout: EACH_WITHIN_MS }), { mode: 0o600 });
        },
      ],
      [nameOf("address"), async (path) => writeFile(path, `${redact(withoutQuerySecrets(page.url()))}\n`, { mode: 0o600 })],
      [nameOf("outline"), async (path) => writeFile(path, redact(await outlineOf(page, EACH_WITHIN_MS)), { mode: 0o600 })],
    ];
  }

  /** What can't be kept is left out: the failure itself is what matters. */
  async #all(files: readonly KeptFile[]): Promise<string[]> {
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
