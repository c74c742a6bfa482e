import { allTroubles, ManagerShim } from "../support/manager-shim.ts";
import { manners, tiers } from "../support/paper-protocol.ts";
import type { ChaosScenario } from "../support/scenario.ts";
import { verdictOf, World } from "../support/world.ts";

const SHARE = 0.25;
const OPEN = 6;
const AFTER_OUTAGE = 4;
const BACK_WITHIN_MS = 5000;
const POSTED_MS = 30_000;
const END_MS = 120_000;

/** A manager that fails in every way while tasks stream in; then it is gone while tasks come to their end, and comes back. */
export const scenario: ChaosScenario = {
  name: "manager-trouble",
  title: "a manager in trouble, then gone",
  async run(context) {
    const shim = new ManagerShim();
    await shim.open();
    context.after(async () => shim.close());
    const world = await World.open(context, {
      backend: "pglite",
      managerUrl: (real) => {
        shim.real = real;
        return shim.url;
      },
    });
    const farm = world.spare();
    await farm.start(world.order(await world.dataDir(), { managerDeadlineMs: 1000 }));

    shim.trouble = () => (Math.random() < SHARE ? allTroubles[Math.floor(Math.random() * allTroubles.length)]! : null);
    const [wanted, fed] = [context.size(30, 1000), new AbortController()];
    const feeding = world.feed(OPEN, (index) => ({ tier: tiers[index % tiers.length]!, episodes: 1 + (index % 2) }), fed.signal);
    feeding.catch(() => undefined);
    await world.until(`${wanted} episodes are asked for`, wanted * 4000, () => world.asked.length >= wanted);
    fed.abort();
    await feeding;
    const endedInTrouble = await world.settled(farm, END_MS);
    shim.trouble = () => null;

    const backMs = await outage(world, shim, context.size(15_000, 120_000));
    const ended = await world.settled(farm, END_MS);
    if (!ended) context.say(`not all has ended: ${JSON.stringify(await farm.status())}`);
    const evidence = await world.evidence(farm);
    await farm.stop();
    const troubles = [...shim.counts.values()].reduce((sum, count) => sum + count, 0);
    const problems = [
      ...(endedInTrouble ? [] : ["Not all had ended while the manager was in trouble."]),
      ...(backMs > BACK_WITHIN_MS ? [`The first report came ${(backMs / 1000).toFixed(1)} s after the manager was back.`] : []),
      ...allTroubles.filter((trouble) => !shim.counts.has(trouble)).map((trouble) => `The manager never made this trouble: ${trouble}.`),
    ];
    return verdictOf(
      scenario.title,
      [{ ...evidence, faults: troubles, detectMs: [], recoverMs: [] }],
      problems,
      `first report ${(backMs / 1000).toFixed(1)} s after an outage`,
    );
  },
};

/** Tasks under way when the manager goes; they are posted meanwhile. @returns from its return to the first report, ms */
async function outage(world: World, shim: ManagerShim, lastsMs: number): Promise<number> {
  const goes = Promise.withResolvers<void>();
  const [before, held] = [world.site.publishes.length, new Set<string>()];
  world.site.onVisit = async ({ what, task }) => {
    if (what !== "POST checkpoint") return;
    held.add(task);
    await goes.promise;
  };
  for (let given = 0; given < AFTER_OUTAGE; given += 1) await world.give({ tier: "list", manner: manners.marked });
  // The site's patience ends with the request's deadline: gone is the manager once the first is about to publish.
  await world.until("a task is about to publish", POSTED_MS, () => held.size > 0);
  const from = Date.now();
  shim.goDown();
  goes.resolve();
  await world.until("it is posted while the manager is gone", POSTED_MS, () => world.site.publishes.length > before);
  await world.rest(Math.max(0, lastsMs - (Date.now() - from)));
  const back = Date.now();
  shim.down = false;
  await world.until("a report after the outage", POSTED_MS, () => (shim.reportedAt.at(-1) ?? 0) >= back);
  return shim.reportedAt.find((at) => at >= back)! - back;
}
