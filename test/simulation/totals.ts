import { outcomes, type Violation } from "./checker.ts";
import type { FaultKind } from "./mischief.ts";
import type { SeedResult } from "./simulate.ts";

/** What a number of seeds came to; plain data, so that it crosses processes. */
export interface Totals {
  seeds: number;
  episodes: number;
  faults: Partial<Record<FaultKind, number>>;
  /** Episodes, by what became of them. */
  duplicated: number;
  lost: number;
  limbo: number;
  otherWrongs: number;
  /** Episodes in doubt that a person has to settle, by the site's tier. */
  inDoubt: Record<string, number>;
  /** Publish requests on the wire. */
  requests: number;
  virtualMs: number;
  statements: number;
  /** Seeds with a violation, with what was wrong first. */
  failing: { seed: number; first: Violation }[];
}

export function noTotals(): Totals {
  return {
    seeds: 0,
    episodes: 0,
    faults: {},
    duplicated: 0,
    lost: 0,
    limbo: 0,
    otherWrongs: 0,
    inDoubt: {},
    requests: 0,
    virtualMs: 0,
    statements: 0,
    failing: [],
  };
}

export function addSeed(totals: Totals, result: SeedResult): void {
  const count = (...wrongs: Violation["wrong"][]): number => result.violations.filter(({ wrong }) => wrongs.includes(wrong)).length;
  totals.seeds += 1;
  totals.episodes += result.episodes;
  totals.duplicated += count("duplicated");
  totals.lost += count("lost", "false success");
  totals.limbo += count("limbo");
  totals.otherWrongs += result.violations.filter(({ wrong }) => !outcomes.has(wrong) && wrong !== "limbo").length;
  if (result.inDoubt.length > 0) addTo(totals.inDoubt, result.scenario.tier, result.inDoubt.length);
  totals.requests += result.requests.reduce((sum, times) => sum + times, 0);
  totals.virtualMs += result.virtualMs;
  totals.statements += result.statements;
  for (const [kind, times] of result.faults) addTo(totals.faults, kind, times);
  const [first] = result.violations;
  if (first) totals.failing.push({ seed: result.seed, first });
}

export function addTotals(totals: Totals, more: Totals): void {
  for (const key of ["seeds", "episodes", "duplicated", "lost", "limbo", "otherWrongs", "requests", "virtualMs", "statements"] as const)
    totals[key] += more[key];
  for (const [kind, times] of Object.entries(more.faults)) addTo(totals.faults, kind as FaultKind, times);
  for (const [tier, episodes] of Object.entries(more.inDoubt)) addTo(totals.inDoubt, tier, episodes);
  totals.failing.push(...more.failing);
}

function addTo<Key extends string>(counts: Partial<Record<Key, number>>, key: Key, more: number): void {
  counts[key] = (counts[key] ?? 0) + more;
}
