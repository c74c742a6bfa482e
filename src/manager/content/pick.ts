import type { UsageMode } from "../../contract/content-api.ts";

/** One of those that are picked from, which stand in the order in which `sequential` goes through them. */
export interface Choice {
  isUsed: boolean;
  /** 0 or more; only `weighted` asks for it. */
  weight: number;
}

export interface Picked {
  index: number;
  /** All had been used: but for this one they count as unused again. */
  startsRound: boolean;
}

/**
 * random and sequential use each one once before any of them again: random in any order, sequential in theirs. weighted asks for
 * the weights alone; where all of them are 0 each is as likely as the others.
 * @param random a number from 0 to below 1
 * @returns null when there is nothing to pick from
 */
export function pick(choices: readonly Choice[], mode: UsageMode, random: () => number): Picked | null {
  if (choices.length === 0) return null;
  if (mode === "weighted")
    return {
      index: byWeight(
        choices.map(({ weight }) => weight),
        random(),
      ),
      startsRound: false,
    };
  const unused = choices.flatMap(({ isUsed }, index) => (isUsed ? [] : [index]));
  const startsRound = unused.length === 0;
  const open = startsRound ? choices.map((_, index) => index) : unused;
  const index = open[mode === "sequential" ? 0 : Math.floor(random() * open.length)] ?? 0;
  return { index, startsRound };
}

function byWeight(weights: readonly number[], share: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return Math.floor(share * weights.length);
  let left = share * total;
  const index = weights.findIndex((weight) => (left -= weight) < 0);
  // Sums of fractions may fall short of their total.
  return index === -1 ? weights.findLastIndex((weight) => weight > 0) : index;
}
