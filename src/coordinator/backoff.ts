import type { Random } from "./ports.ts";

const FIRST_MS = 1000;
const LAST_MS = 5 * 60_000;

/** 1 s, 2 s, 4 s … 5 min, each shortened by up to half, so that a crowd that failed together does not come back together. */
export function backoffMs(attempt: number, random: Random): number {
  const full = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 20));
  return Math.round(full * (0.5 + random() / 2));
}

/** `ms` ± a fifth. */
export function jitterMs(ms: number, random: Random): number {
  return Math.round(ms * (0.8 + random() * 0.4));
}
