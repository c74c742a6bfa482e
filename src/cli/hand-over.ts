import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { chromium, type BrowserContext, type Page } from "playwright";
import { z } from "zod";
import { sayFailure, type FailureData } from "../contract/failures.ts";
import { browserState, type BrowserSettings, type BrowserState } from "../contract/task.ts";
import type { HandOver } from "../coordinator/hand-over.ts";
import { browserEnvironment } from "../kit/browser-environment.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { requireBrowser } from "./browser.ts";
import { askFarm, type FarmAnswer } from "./farm-client.ts";

/** A person who went away: the window closes, and nothing is answered. */
const PERSON_MS = 60 * 60_000;
const KEEP_WITHIN_MS = 10_000;
const HAND_BACK_MS = 5 * 60_000;
const HAND_BACK_EVERY_MS = 3000;

export interface Person {
  /** Resolves when the person is done, but for closing the window. */
  done(page: Page, signal: AbortSignal): Promise<"done" | "gone">;
}

const given = z.looseObject({
  account: z.string(),
  site: z.string(),
  origin: z.string(),
  page: z.string().nullable(),
  state: browserState.nullable(),
  failure: z.custom<FailureData>().nullable(),
  locale: z.string(),
  timeZone: z.string(),
});

/**
 * Opens the session that the farm was stopped in, in a window, for a person to do what the site asks for; then hands it back,
 * and the task goes on where it was.
 */
export async function handOver(config: Config, task: string, person: Person = atTheTerminal): Promise<number> {
  const settings = await requireBrowser({ ...config, headed: true });
  if (settings.wsEndpoint) throw new UsageError("A person needs a window on this machine: leave BROWSER_WS out.");
  const answer = await askFarm(config, "/api/v1/farm/hand-over", { task }, { secret: true });
  if (answer.status !== 200) throw new UsageError(`The farm does not hand that over: ${answer.message}.`);
  const session = given.parse(answer.data);
  process.stdout.write(
    `${session.account} at ${session.site}${session.failure ? `: ${sayFailure(session.failure)}` : ""}\nDo in the window what the site asks for, then close it or press Enter here. Ctrl+C gives up.\n`,
  );
  const state = await withPerson(settings, session, person);
  if (!state) {
    process.stdout.write("Nothing was handed back; the task still waits.\n");
    return 1;
  }
  const taken = await handBack(async () => askFarm(config, "/api/v1/farm/hand-over/done", { task, state }, { secret: true }));
  if (taken.status !== 200) throw new UsageError(`The farm does not take it back: ${taken.message}.`);
  process.stdout.write("The session is kept; the task goes on.\n");
  return 0;
}

/** A farm that restarts meanwhile must not cost a person their work. */
async function handBack(ask: () => Promise<FarmAnswer>): Promise<FarmAnswer> {
  for (const until = performance.now() + HAND_BACK_MS; ;) {
    try {
      const answer = await ask();
      if (answer.status < 500 || performance.now() > until) return answer;
    } catch (error) {
      if (performance.now() > until) throw error;
      process.stdout.write("The farm does not answer; asking again …\n");
    }
    await delay(HAND_BACK_EVERY_MS);
  }
}

/** @returns the session as the person left it; null when they gave up */
async function withPerson(
  settings: BrowserSettings,
  { origin, page: address, state, locale, timeZone }: HandOver & { locale: string; timeZone: string },
  person: Person,
): Promise<BrowserState | null> {
  const browser = await chromium.launch({
    headless: false,
    chromiumSandbox: settings.sandbox,
    args: settings.args,
    env: { ...browserEnvironment(), ...settings.env },
    ...(settings.headedExecutablePath && { executablePath: settings.headedExecutablePath }),
  });
  try {
    const context = await browser.newContext({
      locale,
      timezoneId: timeZone,
      viewport: null,
      ...(state && { storageState: state as never }),
    });
    const page = await context.newPage();
    const kept = keepStates(context);
    await page.goto(address ?? origin, { waitUntil: "domcontentloaded" }).catch(() => undefined);
    const giveUp = new AbortController();
    const end = await withDeadline(PERSON_MS, "waiting for a person", async () =>
      Promise.race([closed(context), person.done(page, giveUp.signal)]),
    )
      .catch((error: unknown) => {
        if (error instanceof DeadlineError) return "gone" as const;
        throw error;
      })
      .finally(() => giveUp.abort());
    return end === "gone" ? null : await kept.last();
  } finally {
    await browser.close();
  }
}

/** The last window was closed. */
async function closed(context: BrowserContext): Promise<"done"> {
  const { promise, resolve } = Promise.withResolvers<"done">();
  const look = (): void => {
    if (context.pages().length === 0) resolve("done");
  };
  const watch = (page: Page): void => void page.on("close", look);
  for (const page of context.pages()) watch(page);
  context.on("page", watch);
  context.once("close", () => resolve("done"));
  return promise;
}

/** With its last window Chromium may go altogether, and the state with it: it is read after each page, too. */
function keepStates(context: BrowserContext): { last(): Promise<BrowserState | null> } {
  let newest: BrowserState | null = null;
  const read = async (): Promise<void> => {
    const state = await withDeadline(KEEP_WITHIN_MS, "reading the session", async () =>
      context.storageState({ indexedDB: true }).catch(async () => context.storageState()),
    ).catch(() => null);
    if (state) newest = browserState.parse(state);
  };
  const watch = (page: Page): void => void page.on("load", () => void read());
  for (const page of context.pages()) watch(page);
  context.on("page", watch);
  return {
    async last() {
      await read();
      return newest;
    },
  };
}

/** Enter, or Ctrl+C. Without a terminal only the window counts. */
const atTheTerminal: Person = {
  async done(_page, signal) {
    const { promise, resolve } = Promise.withResolvers<"done" | "gone">();
    process.once("SIGINT", () => resolve("gone"));
    process.once("SIGTERM", () => resolve("gone"));
    if (process.stdin.isTTY) {
      const lines = createInterface({ input: process.stdin });
      lines.once("line", () => resolve("done"));
      lines.once("SIGINT", () => resolve("gone"));
      signal.addEventListener("abort", () => lines.close(), { once: true });
    }
    return promise;
  },
};
