import type { Database } from "./database.ts";
import { faultKinds, type FaultKind } from "./mischief.ts";
import { drawScenario } from "./scenario.ts";
import { simulate, type SeedOptions } from "./simulate.ts";

/** Which kinds of faults a failing seed really needs: each that can be left out, with the same thing still wrong, is. */
export async function shrink(database: Database, options: SeedOptions): Promise<FaultKind[]> {
  const before = new Set((await simulate(database, options)).violations.map(({ wrong }) => wrong));
  const dropped = new Set<FaultKind>(options.dropped);
  const drawn = drawScenario(options.seed, dropped).faults;
  for (const kind of faultKinds.filter((one) => drawn.has(one))) {
    const { violations } = await simulate(database, { ...options, dropped: new Set([...dropped, kind]) });
    if (violations.some(({ wrong }) => before.has(wrong))) dropped.add(kind);
  }
  return [...drawn].filter((kind) => !dropped.has(kind));
}
