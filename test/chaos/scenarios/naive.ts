import { killAtRandom } from "../support/kill-loop.ts";
import { tiers } from "../support/paper-protocol.ts";
import type { ChaosScenario } from "../support/scenario.ts";
import { verdictOf, World } from "../support/world.ts";

const LONGEST_MS = 600;
const OPEN = 8;
const END_MS = 30_000;

/**
 * The checker can fail: a farm without a record, through the same kills, on the same site, in front of the same checker, has
 * to be found out. The row shows what it did; it is fine when the checker did not find it so.
 */
export const scenario: ChaosScenario = {
  name: "naive",
  title: "a naive farm (the checker has to fail it)",
  async run(context) {
    const world = await World.open(context, { backend: "pglite", successorsDie: true, site: { dropReply: 0.02, reset: 0.01 } });
    const fed = new AbortController();
    const feeding = world.feed(OPEN, (index) => ({ tier: tiers[index % tiers.length]! }), fed.signal);
    feeding.catch(() => undefined);
    const dataDir = await world.dataDir();
    const entry = new URL("../naive-farm.ts", import.meta.url);
    const farm = await killAtRandom(world, dataDir, { kills: context.size(15, 200), longestMs: LONGEST_MS, entry });
    fed.abort();
    await feeding;
    await world.settled(farm, END_MS);
    const found = verdictOf(scenario.title, [await world.evidence(farm)]);
    await farm.kill();
    const caught = !found.ok && found.duplicated > 0;
    return {
      ...found,
      ok: caught,
      problems: caught ? [] : ["The checker found no duplicate of a farm that posts again whatever is unknown: it can't see any."],
      note: `failed as it has to: ${found.problems.length} problems found`,
    };
  },
};
