import type { APIRequestContext, Browser, BrowserContext, Page, Response } from "playwright";
import type { Assignment } from "../contract/task.ts";
import type { Driver } from "../driver/contract.ts";
import { withDeadline } from "../kit/deadline.ts";
import { holdsSecret } from "../kit/redact.ts";
import { dismissInterruptions } from "../driver/interruptions.ts";
import { Trouble } from "./trouble.ts";

/** A context that does not close goes with its browser; its task must not wait for that. */
const CLOSE_WITHIN_MS = 10_000;

const harmless: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** The last page that the site served as a whole. */
export interface LastDocument {
  httpStatus: number;
  /** The site's clock minus ours at that moment, ms; null when it did not say. */
  clockAheadMs: number | null;
}

/** One account's place in the browser: a context of its own and the page that the driver works in. */
export class Stage {
  readonly context: BrowserContext;
  /** Past every guard: for the engine alone. */
  readonly request: APIRequestContext;
  readonly driver: Driver;
  page!: Page;
  lastDocument: LastDocument | null = null;
  /** WebSockets that the page opened: what leaves through them passes no gate. */
  sockets = 0;
  /** The page that asked for a person; null: none did. */
  challengedAt: string | null = null;
  /** Requests that may have changed something at a site, or showed it a secret, whoever made them. */
  changes = 0;
  /** Outages that the pages met. */
  readonly trouble: Trouble;
  readonly #stepTimeoutMs: number;

  private constructor(context: BrowserContext, driver: Driver, { origin, stepTimeoutMs }: Assignment) {
    this.context = context;
    this.request = context.request;
    this.driver = driver;
    this.trouble = new Trouble(origin);
    this.#stepTimeoutMs = stepTimeoutMs;
  }

  static async open(browser: Browser, driver: Driver, assignment: Assignment): Promise<Stage> {
    const context = await openContext(browser, { ...assignment, locale: driver.locale ?? assignment.locale });
    const stage = new Stage(context, driver, assignment);
    context.setDefaultTimeout(assignment.stepTimeoutMs);
    context.on("request", (request) => {
      if (!harmless.has(request.method()) || holdsSecret(request.url())) stage.changes += 1;
    });
    await stage.freshPage();
    return stage;
  }

  /** Leaves the page with all that still runs in it and opens an empty one. */
  async freshPage(): Promise<void> {
    const old = this.context.pages();
    const page = await this.context.newPage();
    page.setDefaultTimeout(this.#stepTimeoutMs);
    page.on("response", (response) => {
      this.trouble.answered(response);
      this.#noteDocument(page, response);
    });
    page.on("request", (request) => this.trouble.requestBegan(request));
    page.on("requestfinished", (request) => this.trouble.requestEnded(request));
    page.on("requestfailed", (request) => this.trouble.requestFailed(request));
    page.on("websocket", () => (this.sockets += 1));
    await dismissInterruptions(page, this.driver.interruptions);
    this.page = page;
    this.sockets = 0;
    this.trouble.leftPage();
    await Promise.all(old.map(async (other) => other.close().catch(() => undefined)));
  }

  noteChallenge(): void {
    const url = this.page.url();
    if (/^https?:/.test(url)) this.challengedAt = url;
  }

  #noteDocument(page: Page, response: Response): void {
    if (response.request().resourceType() !== "document" || response.frame() !== page.mainFrame()) return;
    const date = Date.parse(response.headers()["date"] ?? "");
    this.lastDocument = { httpStatus: response.status(), clockAheadMs: Number.isNaN(date) ? null : date - Date.now() };
  }

  async close(): Promise<void> {
    await withDeadline(CLOSE_WITHIN_MS, "closing the context", async () => this.context.close()).catch(() => undefined);
  }
}

/** With the stored session where there is one that still loads; else with the account's plain cookies. */
async function openContext(browser: Browser, { origin, locale, timeZone, session, credentials }: Assignment): Promise<BrowserContext> {
  const options = {
    baseURL: origin,
    locale,
    timezoneId: timeZone,
    viewport: { width: 1280, height: 720 },
    // A service worker's requests would go past the gate.
    serviceWorkers: "block" as const,
    // Nobody watches: each frame of a spinner is painted for nothing (a third of the painting where sites honour this).
    reducedMotion: "reduce" as const,
  };
  if (session) {
    type StorageState = Exclude<NonNullable<Parameters<Browser["newContext"]>[0]>["storageState"], string | undefined>;
    const storageState = session as unknown as StorageState;
    // A state that this version of the browser can't load costs a sign-in, not the task.
    const context = await browser.newContext({ ...options, storageState }).catch((error: unknown) => {
      if (!browser.isConnected()) throw error;
      return null;
    });
    if (context) return context;
  }
  const context = await browser.newContext(options);
  const cookies = parseCookies(credentials.cookie).map(({ name, value }) => ({ name, value, url: origin }));
  if (cookies.length > 0) await context.addCookies(cookies).catch(() => undefined);
  return context;
}

/** `k=v; k2=v2` */
export function parseCookies(text: string): { name: string; value: string }[] {
  return text
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => /^[^=\s]+=/.test(pair))
    .map((pair) => ({ name: pair.slice(0, pair.indexOf("=")), value: pair.slice(pair.indexOf("=") + 1) }));
}
