import type { DriverCard } from "../../../src/contract/task.ts";

/** What the paper site, the paper worker and whoever starts them agree on. */
export const tiers = ["drafts", "list", "blind"] as const;
export type Tier = (typeof tiers)[number];

/** Host names of the tiers as tasks carry them; where they really are, the farm's setting SITES says. */
export const hostOf = (tier: Tier): string => `${tier}.paper.example`;
export const siteOf = (tier: Tier): string => `paper-${tier}`;

/** The longest that the site may take to handle a request that was sent, ms: part of what a settle time has to outlast. */
export const SITE_DELAY_MS = 200;
/** From the gate's permission to the last byte, as the gate itself allows, ms. */
const GATE_MS = 2000;
export const STEP_SECONDS = 1;
/** Gate, the request's own deadline, the site's delay: before that no look means anything. */
export const SETTLE_SECONDS = (GATE_MS + SITE_DELAY_MS) / 1000 + STEP_SECONDS + 0.3;

/** What a task's user name tells the paper worker to do besides its work. */
export const manners = {
  /** Ends its thread in the middle. */
  poison: "poison",
  /** Tells the site when the publish request is about to be held, and waits for the answer. */
  marked: "marked",
} as const;

export function cardOf(tier: Tier): DriverCard {
  return {
    site: siteOf(tier),
    module: siteOf(tier),
    hosts: [hostOf(tier)],
    tier,
    settleMs: SETTLE_SECONDS * 1000,
    concurrency: 64,
    login: "email",
    discards: tier === "drafts",
    imports: false,
    post: "request",
    limits: {
      title: { maxCharacters: 200 },
      about: { tags: [], maxCharacters: 1000 },
      cover: { minPixels: 1400, maxPixels: 3000, maxBytes: 500_000 },
      audio: { formats: ["mp3"], maxBytes: 10_000_000 },
    },
  };
}
