import type { Page } from "playwright";
import { Failure } from "../contract/failures.ts";

/**
 * What sites put in the way to see whether a person is there, in the same forms everywhere: known by the frame it comes in, or
 * by its heading. A driver's own `refusals` come first; this is for what its author has never met. Nothing here solves them.
 */
const kinds: readonly { kind: string; frame?: string; heading?: RegExp }[] = [
  {
    kind: "captcha",
    frame: [
      'iframe[src*="/recaptcha/"][src*="/bframe"]',
      'iframe[src*="/recaptcha/"][src*="/anchor"]:not([src*="size=invisible"])',
      'iframe[src*="hcaptcha.com"]',
      'iframe[src*="challenges.cloudflare.com"]',
      'iframe[src*="arkoselabs.com"]',
      'iframe[src*="funcaptcha.com"]',
      'iframe[src*="geo.captcha-delivery.com"]',
    ].join(", "),
    heading: /are you (?:a )?(?:human|robot)|not a robot|verify (?:that )?you are (?:a )?human|security check|just a moment/i,
  },
  {
    kind: "phone check",
    heading:
      /(?:verify|confirm|add) (?:your|a) (?:phone|mobile)|phone (?:number )?verification|enter the code (?:we )?(?:sent|texted) to your phone/i,
  },
  {
    kind: "suspicious sign-in",
    heading:
      /unusual (?:activity|sign-?in|login)|suspicious (?:activity|sign-?in|login)|verify (?:that )?it.?s you|confirm your identity|new device|unrecognized device/i,
  },
  {
    kind: "new terms",
    heading:
      /(?:new|updated|changes to (?:our|the)) terms|accept (?:our|the) (?:new |updated )?terms|terms of (?:service|use) (?:have|has) changed|updated? (?:our )?privacy policy/i,
  },
];

/** The challenge that the page shows, if it is one of the usual. @param own words of the task, which are no challenge */
export async function challengeOn(page: Page, own: readonly string[] = []): Promise<Failure | null> {
  for (const { kind, frame, heading } of kinds) {
    if (frame && (await page.locator(frame).filter({ visible: true }).first().isVisible())) return new Failure("account.challenged", kind);
    if (!heading || own.some((text) => heading.test(text))) continue;
    const shown = page.locator("h1, h2, [role=heading][aria-level='1']").filter({ hasText: heading, visible: true }).first();
    if (!(await shown.isVisible())) continue;
    const said = (await shown.innerText({ timeout: 1000 }).catch(() => "")).replace(/\s+/g, " ").trim().slice(0, 150);
    return new Failure("account.challenged", `${kind}: "${said}"`);
  }
  return null;
}
