import type { Browser, BrowserContext, Page, Route } from "playwright";
import type { Credentials } from "../contract/task.ts";
import { UsageError } from "../kit/config.ts";
import { findBrowser } from "../kit/find-browser.ts";
import type { ImapServer } from "../kit/mail-server.ts";
import { addSecret } from "../kit/redact.ts";
import { createContext, readAccount } from "./context.ts";
import type { Driver, DriverContext } from "./contract.ts";
import { dismissInterruptions } from "./interruptions.ts";
import { openMailbox, type Mailbox } from "./mailed-code.ts";
import { isHeldRequest, isPublishRequest, sendHeld } from "./publish-request.ts";
import { refusalsFor, untilRefused } from "./refusals.ts";
import { bodyText, guardBy, throughOne } from "./requests.ts";
import { createTotp } from "./totp.ts";

export const STEP_TIMEOUT_MS = 20_000;

export interface VisitTarget {
  origin: string;
  account: Partial<Credentials>;
  imap?: ImapServer;
}

/** What the engine does around one browser session, without its ledger. */
export interface Visit {
  site: DriverContext;
  page: Page;
  context: BrowserContext;
  /** Publish requests that left the browser, or went by `request`. */
  published(): number;
  /** Pop-ups that were put away. */
  dismissed(): number;
  signIn(): Promise<void>;
  /** `mailedCode` reads this mailbox meanwhile. */
  readingMail<T>(account: Partial<Credentials>, work: () => Promise<T>): Promise<T>;
}

/** A stranger's new page; what the driver does on it goes through the same parts as in the engine. */
export async function enter(driver: Driver, target: VisitTarget, context: BrowserContext): Promise<Visit> {
  context.setDefaultTimeout(STEP_TIMEOUT_MS);
  const page = await context.newPage();
  let [published, dismissed] = [0, 0];
  const counted = driver.interruptions.map(({ shows, dismiss }) => ({
    shows,
    dismiss: async (shownOn: Page) => dismiss(shownOn).then(() => void (dismissed += 1)),
  }));
  await dismissInterruptions(page, counted);
  // The same way out as in the engine: sites that can't live with it show it here.
  await context.route(driver.publishRequest.url, async (route: Route) => {
    if (!isHeldRequest(driver.publishRequest, route.request())) return route.fallback();
    published += 1;
    await sendHeld(route, driver.publishRequest, STEP_TIMEOUT_MS);
  });
  const raw = context.request;
  const request = throughOne(raw, async (method, url, options) => {
    const address = new URL(url, target.origin).href;
    if (!isPublishRequest(driver.publishRequest, { method, url: address, body: bodyText(options) }))
      return raw.fetch(url, { ...options, method });
    published += 1;
    return raw.fetch(url, { ...options, method, maxRetries: 0, maxRedirects: 0 });
  });
  guardBy(request, page);
  const credentials: Credentials = {
    email: "",
    username: "",
    password: "",
    passMail: "",
    twofa: "",
    appPassword: "",
    cookie: "",
    ...target.account,
  };
  for (const secret of [credentials.password, credentials.passMail, credentials.twofa, credentials.appPassword]) addSecret(secret);
  let mailbox: Mailbox | null = null;
  const site = createContext({
    page,
    request,
    account: readAccount(driver, credentials),
    origin: target.origin,
    totp: createTotp({ takeStep: async (seedHash, step) => takeOnce(`${seedHash}:${step}`) }),
    mailedCode: async (query) => {
      if (!mailbox) throw new UsageError("The driver asks for a mailed code: give the target's account an appPassword, and imap.");
      return mailbox.code(query);
    },
    step: () => undefined,
  });
  const readingMail = async <T>(account: Partial<Credentials>, work: () => Promise<T>): Promise<T> => {
    const { appPassword } = { ...credentials, ...account };
    if (!appPassword) return work();
    mailbox = await openMailbox({
      account: { ...credentials, ...account },
      imap: target.imap ?? null,
      takeCode: async (codeHash) => takeOnce(codeHash),
    });
    try {
      return await work();
    } finally {
      mailbox.close();
      mailbox = null;
    }
  };
  const submit = async (): Promise<void> => {
    const watching = new AbortController();
    try {
      const refused = untilRefused(page, refusalsFor(driver, "signIn"), watching.signal).then((failure) =>
        failure ? Promise.reject(failure) : new Promise<never>(() => undefined),
      );
      const signing = driver.signIn(site);
      signing.catch(() => undefined);
      await Promise.race([signing, refused]);
    } finally {
      watching.abort();
    }
  };
  const signIn = async (): Promise<void> => readingMail({}, submit);
  return { site, page, context, published: () => published, dismissed: () => dismissed, signIn, readingMail };
}

/** Codes that this process has used: what the coordinator keeps on disk. */
const used = new Set<string>();
function takeOnce(key: string): boolean {
  if (used.has(key)) return false;
  used.add(key);
  return true;
}

/** @throws UsageError when there is no browser */
export async function launch(): Promise<Browser> {
  const found = findBrowser({ setting: process.env["PODCREW_BROWSER"] || undefined });
  if (!found) throw new UsageError("No browser was found. Run `podcrew doctor`, or set PODCREW_BROWSER.");
  const { chromium } = await import("playwright");
  return chromium.launch({
    executablePath: found.executable,
    chromiumSandbox: process.getuid?.() !== 0,
    env: { ...(process.env as Record<string, string>), ...found.env },
  });
}
