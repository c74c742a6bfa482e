import { setTimeout as delay } from "node:timers/promises";
import type { Locator, Page } from "playwright";
import { Failure, type FailureCode } from "../contract/failures.ts";
import type { Driver, Refusal } from "./contract.ts";

/**
 * Most verbs have ended by then. A look through the whole page many times a second is dear, and a verb that fails earlier
 * has its page read for refusals anyway.
 */
const QUIET_MS = 1000;
/** As often as Playwright looks for what it waits for. */
const LOOK_EVERY_MS = 500;

export type Refusals = readonly (readonly [FailureCode, Refusal])[];

const aboutSigningIn = /^(account\.refused|account\.locked|totp\.|mailbox\.)/;

/**
 * The refusals that count during a verb. A wrong password can only be said while signing in, so an episode about wrong
 * passwords harms nothing later; words that stand in the episode's own text are no refusal of it.
 */
export function refusalsFor(driver: Pick<Driver, "refusals">, verb: string, episode?: { title: string; aboutText: string }): Refusals {
  const all = Object.entries(driver.refusals) as [FailureCode, Refusal][];
  return all.filter(([code, refusal]) => {
    if (verb === "signIn") return true;
    if (aboutSigningIn.test(code)) return false;
    if (!episode) return true;
    if (refusal instanceof RegExp) return !refusal.test(episode.title) && !refusal.test(episode.aboutText);
    // Where content is refused any words may stand; but the headings that challenges come in show titles as well.
    return code !== "account.challenged" || !refusal.text.test(episode.title);
  });
}

function locate(page: Page, refusal: Refusal): Locator {
  return refusal instanceof RegExp ? page.getByText(loose(refusal)) : page.locator(refusal.within).filter({ hasText: loose(refusal.text) });
}

/** Playwright matches expressions against the text as the HTML has it, where a sentence may go over two lines. */
function loose({ source, flags }: RegExp): RegExp {
  return new RegExp(source.replace(/ (?![*+?{])/g, "\\s+"), flags);
}

/** The refusal that the page shows now, if any. */
export async function refusalOn(page: Page, refusals: Refusals): Promise<Failure | null> {
  for (const [code, refusal] of refusals) {
    const shown = locate(page, refusal).filter({ visible: true }).first();
    if (await shown.isVisible().catch(() => false)) return new Failure(code, await said(shown));
  }
  return null;
}

/**
 * Waits, without an end of its own, until the page shows a refusal; ends with null when the signal fires or the page goes. It only looks:
 * where a pop-up shows while two wait on a page (`waitFor`, a click), Playwright (1.65) may forget one of them, which would be the verb's.
 */
export async function untilRefused(page: Page, refusals: Refusals, signal: AbortSignal): Promise<Failure | null> {
  const [first, ...others] = refusals.map(([, refusal]) => locate(page, refusal));
  if (!first) return null;
  const any = others.reduce((either, locator) => either.or(locator), first);
  const shown = any.filter({ visible: true }).first();
  const pause = async (ms: number): Promise<unknown> => delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
  for (await pause(QUIET_MS); !signal.aborted && !page.isClosed(); await pause(LOOK_EVERY_MS)) {
    const found = (await shown.isVisible().catch(() => false)) && (await refusalOn(page, refusals));
    if (found) return found;
  }
  return null;
}

async function said(shown: Locator): Promise<string> {
  const text = await shown.innerText({ timeout: 1000 }).catch(() => "");
  return text.replace(/\s+/g, " ").trim().slice(0, 200);
}
