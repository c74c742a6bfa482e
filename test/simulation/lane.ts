import { createHash } from "node:crypto";
import type { Rules } from "../../src/coordinator/rules.ts";
import { outcomes, type Violation } from "./checker.ts";
import { Database } from "./database.ts";
import { simulate } from "./simulate.ts";
import { addSeed, noTotals, type Totals } from "./totals.ts";

/** What a lane is asked to do. */
export type Order =
  | { kind: "seeds"; from: number; count: number; without: keyof Rules | null }
  /** Until a seed shows on the site or at the manager that the rule is missing. */
  | { kind: "mutant"; rule: keyof Rules; from: number; count: number }
  /** What the seeds' stories come to, to compare them with another process's. */
  | { kind: "digest"; from: number; count: number };

export type Done =
  | { kind: "seeds"; totals: Totals }
  | { kind: "mutant"; rule: keyof Rules; caught: { seed: number; violation: Violation } | null }
  | { kind: "digest"; digest: string };

const database = await Database.open();

async function follow(order: Order): Promise<Done> {
  const seeds = Array.from({ length: order.count }, (_, place) => order.from + place);
  switch (order.kind) {
    case "seeds": {
      const totals = noTotals();
      const rules = order.without === null ? {} : { [order.without]: false };
      for (const seed of seeds) addSeed(totals, await simulate(database, { seed, rules }));
      return { kind: "seeds", totals };
    }
    case "mutant": {
      const { rule } = order;
      for (const seed of seeds) {
        const { violations } = await simulate(database, { seed, rules: { [rule]: false } });
        const violation = violations.find(({ wrong }) => outcomes.has(wrong));
        if (violation) return { kind: "mutant", rule, caught: { seed, violation } };
      }
      return { kind: "mutant", rule, caught: null };
    }
    case "digest": {
      const hash = createHash("sha256");
      for (const seed of seeds) hash.update((await simulate(database, { seed })).story());
      return { kind: "digest", digest: hash.digest("hex") };
    }
  }
}

async function answer(order: Order): Promise<void> {
  try {
    const done = await follow(order);
    process.send?.(done);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
}

process.on("message", (order: Order) => void answer(order));
process.once("disconnect", () => process.exit(0));
