import type { ChaosScenario } from "../support/scenario.ts";
import { tiers } from "../support/paper-protocol.ts";
import { verdictOf, World } from "../support/world.ts";

const FARMS = 4;
const OPEN = 40;
const ROUND_MS = 1500;
const END_MS = 120_000;

/**
 * The same task in the hands of up to four farms at a time: the manager hands it to all of them, and a queue that takes every
 * holder for dead lets each of them start it. Only the fences of the ledger are left to decide who posts.
 */
export const scenario: ChaosScenario = {
  name: "two-holders",
  title: "one task, up to four holders",
  async run(context) {
    const rounds = context.size(200, 1000);
    const world = await World.open(context, { backend: "postgres" });
    const farms = await Promise.all(
      Array.from({ length: FARMS }, async (_, seat) => {
        const farm = world.spare();
        await farm.start(world.order(await world.dataDir(`farm-${seat}`), { robs: seat > 0, settings: { concurrency: 12 } }));
        return farm;
      }),
    );
    const first = farms[0]!;
    for (let given = 0; given < rounds; given += 1) {
      // Robbed twice in one run, a farm gives the task back as "could not be sent": an honest end, as long as nothing was sent.
      await world.give({ tier: tiers[given % tiers.length]!, mayFail: true });
      if (given % OPEN === OPEN - 1) await world.rest(ROUND_MS);
    }
    if (!(await world.settled(first, END_MS))) context.say(`not all has ended: ${JSON.stringify(await first.status())}`);
    const contested = world.contested();
    const evidence = await world.evidence(first);
    await Promise.all(farms.map(async (farm) => farm.stop()));
    const made = new Set(evidence.publishes.map(({ episode }) => episode));
    const givenBack = evidence.asked.filter(({ ended }) => ended === "failed");
    const untrue = givenBack
      .filter(({ episode }) => made.has(episode))
      .map(({ episode }) => `${episode} was given back and is on the site.`);
    const problems = contested < rounds / 2 ? [`Only ${contested} of ${rounds} tasks were in the hands of several farms.`] : [];
    if (givenBack.length > rounds / 20) problems.push(`${givenBack.length} of ${rounds} tasks were given back.`);
    return verdictOf(
      scenario.title,
      [{ ...evidence, faults: contested }],
      [...problems, ...untrue],
      `${contested} tasks were worked on by several farms, ${givenBack.length} given back`,
    );
  },
};
