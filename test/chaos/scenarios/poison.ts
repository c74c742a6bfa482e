import { manners, tiers } from "../support/paper-protocol.ts";
import type { ChaosScenario } from "../support/scenario.ts";
import { verdictOf, World } from "../support/world.ts";

const INNOCENT = 9;
const END_MS = 60_000;
const MOST_DEATHS = 2;

/** Tasks that take their worker thread down each time: each is parked after two, and those beside it are posted. */
export const scenario: ChaosScenario = {
  name: "poison",
  title: "a task that kills its worker",
  async run(context) {
    const poisons = context.size(3, 30);
    const world = await World.open(context, { backend: "pglite" });
    const poisoned: string[] = [];
    for (let given = 0; given < poisons; given += 1) {
      poisoned.push(await world.give({ tier: "drafts", manner: `${manners.poison}-${given}`, mayFail: true }));
      for (let beside = 0; beside < INNOCENT / 3; beside += 1) await world.give({ tier: tiers[beside % tiers.length]!, episodes: 2 });
    }
    const farm = world.spare();
    await farm.start(world.order(await world.dataDir()));
    if (!(await world.settled(farm, END_MS))) context.say(`not all has ended: ${JSON.stringify(await farm.status())}`);
    const problems: string[] = [];
    let deaths = 0;
    for (const taskId of poisoned) {
      const [state, begun] = [
        await world.taskState(taskId),
        world.site.visits.filter(({ task, what }) => task === taskId && what === "GET me").length,
      ];
      deaths += begun;
      if (state !== "failed") problems.push(`The poison task ${taskId} is ${state} and not parked.`);
      if (begun > MOST_DEATHS) problems.push(`The poison task ${taskId} was begun ${begun} times.`);
    }
    const evidence = await world.evidence(farm);
    await farm.stop();
    return verdictOf(scenario.title, [{ ...evidence, faults: deaths }], problems, `${poisons} poison tasks parked after ${deaths} deaths`);
  },
};
