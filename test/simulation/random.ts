/** Numbers that a seed decides, in [0, 1), and what is drawn with them. */
export interface Dice {
  (): number;
  /** An integer, both ends included. */
  between(low: number, high: number): number;
  chance(share: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Mostly near `low`, seldom near `high`: the way of latencies. */
  skewed(low: number, high: number): number;
}

/** Each name is a stream of its own, so that one fault less leaves all other draws of a seed as they were. */
export function diceOf(seed: number, name: string): Dice {
  let state = seed >>> 0;
  for (let i = 0; i < name.length; i += 1) state = Math.imul(state ^ name.charCodeAt(i), 0x5bd1e995) ^ (state >>> 13);
  const roll = (): number => {
    // mulberry32: 32 bits of state are plenty for a few hundred draws.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const dice = roll as Dice;
  dice.between = (low, high) => low + Math.floor(roll() * (high - low + 1));
  dice.chance = (share) => roll() < share;
  dice.pick = (items) => items[Math.floor(roll() * items.length)] as (typeof items)[number];
  dice.skewed = (low, high) => Math.round(low + (high - low) * roll() ** 4);
  for (let i = 0; i < 4; i += 1) roll();
  return dice;
}
