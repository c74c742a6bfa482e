import { chromium, type Browser } from "playwright";
import { Failure } from "../contract/failures.ts";
import type { BrowserSettings } from "../contract/task.ts";
import { browserEnvironment } from "../kit/browser-environment.ts";

/** A browser that nobody uses for so long is closed; the next task pays half a second. */
const IDLE_MS = 30_000;
/** Browsers grow; after so many contexts the next task gets a new one and the old one drains. */
const CONTEXTS_PER_BROWSER = 200;
const LAUNCH_TIMEOUT_MS = 60_000;

interface Running {
  key: string;
  browser: Promise<Browser>;
  users: number;
  served: number;
  idle?: NodeJS.Timeout;
}

export interface BrowserLease {
  browser: Browser;
  release(): Promise<void>;
}

/** The browsers of one thread: one at a time, launched on first use, started anew when it is gone, closed when idle. */
export class Browsers {
  #current: Running | null = null;
  readonly #all = new Set<Running>();
  readonly #closing = new Set<Promise<void>>();
  readonly #idleMs: number;
  #ended = false;

  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  /** @throws Failure farm.browser; farm.worker_died once `end` was called */
  async lease(settings: BrowserSettings): Promise<BrowserLease> {
    if (this.#ended) throw new Failure("farm.worker_died", "its thread is about to end");
    const key = JSON.stringify(settings);
    const running = this.#reusable(key) ?? this.#start(key, settings);
    running.users += 1;
    running.served += 1;
    clearTimeout(running.idle);
    try {
      const browser = await running.browser;
      return { browser, release: async () => this.#release(running) };
    } catch (error) {
      this.#forget(running);
      throw error;
    }
  }

  #reusable(key: string): Running | null {
    const running = this.#current;
    if (!running || (running.key === key && running.served < CONTEXTS_PER_BROWSER)) return running;
    this.#current = null;
    if (running.users === 0) void this.#close(running);
    return null;
  }

  #start(key: string, settings: BrowserSettings): Running {
    const running: Running = { key, browser: launch(settings), users: 0, served: 0 };
    this.#current = running;
    this.#all.add(running);
    running.browser.then(
      (browser) => browser.once("disconnected", () => this.#forget(running)),
      () => this.#forget(running),
    );
    return running;
  }

  #forget(running: Running): void {
    clearTimeout(running.idle);
    this.#all.delete(running);
    if (this.#current === running) this.#current = null;
  }

  async #release(running: Running): Promise<void> {
    running.users -= 1;
    if (running.users > 0 || !this.#all.has(running)) return;
    if (this.#current !== running) return this.#close(running);
    running.idle = setTimeout(() => void this.#close(running), this.#idleMs);
    running.idle.unref();
  }

  async #close(running: Running): Promise<void> {
    this.#forget(running);
    const closed = closeWhenUp(running.browser).finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
    await closed;
  }

  /** Closes all browsers, and waits for those that are closing already; a later lease launches again. */
  async close(): Promise<void> {
    for (const running of this.#all) void this.#close(running);
    await Promise.all(this.#closing);
  }

  /** Closes all browsers for good: one that was launched meanwhile would outlive its thread. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.close();
  }
}

async function closeWhenUp(launched: Promise<Browser>): Promise<void> {
  const browser = await launched.catch(() => null);
  await browser?.close().catch(() => undefined);
}

async function launch(settings: BrowserSettings): Promise<Browser> {
  try {
    if (settings.wsEndpoint) return await chromium.connect(settings.wsEndpoint, { slowMo: settings.slowMoMs, timeout: LAUNCH_TIMEOUT_MS });
    const executablePath = (settings.headed ? settings.headedExecutablePath : null) ?? settings.executablePath;
    return await chromium.launch({
      headless: !settings.headed,
      chromiumSandbox: settings.sandbox,
      args: settings.args,
      env: { ...browserEnvironment(), ...settings.env },
      slowMo: settings.slowMoMs,
      timeout: LAUNCH_TIMEOUT_MS,
      // The main thread owns the signals.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      ...(executablePath && { executablePath }),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Failure("farm.browser", message.split("\n", 2).join(" ").slice(0, 300), { cause: error });
  }
}
