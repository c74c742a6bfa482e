import { fileURLToPath } from "node:url";
import { timesOf } from "../../../src/cli/chaos/times.ts";
import { judge, withProblems } from "../../../src/cli/chaos/verdict.ts";
import { givenWorld, settled } from "../browser/given-world.ts";
import type { ChaosScenario } from "../support/scenario.ts";

const drivers = fileURLToPath(new URL("../browser/drivers", import.meta.url));
const poisons = ["crashes", "explodes", "exits"] as const;
const SETTLED_WITHIN_MS = 150_000;

/**
 * A task whose page crashes, one whose browser crashes, one whose thread ends: each time it is tried. It comes to an end
 * that a person can read, and the tasks beside it in the same browser are posted, once.
 */
export const scenario: ChaosScenario = {
  name: "browser-poison",
  title: "tasks that crash their browser",
  async run(context) {
    const world = await givenWorld(context);
    const rounds = context.size(1, 5);
    const { host } = new URL(world.studio.url);
    const farm = await world.start(await world.farmFolder(), {
      DRIVERS: drivers,
      SITES: `${host}=ill-mannered@${world.studio.url}`,
    });
    // A sign-in that was cut short keeps its distance, whoever cut it: everybody is signed in before the harm is done.
    const neighbours = await Promise.all(Array.from({ length: poisons.length * 2 }, async () => world.member()));
    const signedIn = await Promise.all(neighbours.map(async (member) => world.ask(member)));
    await settled(world, farm, signedIn, SETTLED_WITHIN_MS, context.signal);
    const began = Date.now();
    for (let round = 1; round <= rounds; round++)
      for (const [index, poison] of poisons.entries()) {
        await world.ask(await world.member(), { title: `${poison} ${round}`, mayFail: true });
        for (const side of [0, 1])
          await world.ask(neighbours[index * 2 + side]!, { title: `beside ${poison}, ${side + 1} of 2, ${round}` });
      }
    const persons = await settled(
      world,
      farm,
      world.asked.filter(({ mayFail }) => !mayFail),
      SETTLED_WITHIN_MS * rounds,
      context.signal,
    );
    const poisoned = world.asked.filter(({ mayFail }) => mayFail);
    const posted = (await world.endings(persons)).filter(({ mayFail, ended }) => mayFail && ended === "completed");
    // What is never posted has to say why; whether the manager hands it out once more is for the manager to decide.
    const silent = (await Promise.all(poisoned.map(async ({ taskId }) => world.manager.task(taskId)))).filter(
      (task) => !task?.errorMessage && task?.state !== "running",
    );
    for (const { taskId } of poisoned) await world.manager.cancelTask(taskId);
    const verdict = judge({
      title: scenario.title,
      faults: poisoned.length,
      publishes: await world.publishes(),
      asked: await world.endings(persons),
      ...timesOf([began], await world.heard()),
    });
    await farm.stop();
    return withProblems(verdict, [
      ...posted.map(({ episode }) => `${episode} was posted: it did no harm, so this shows nothing.`),
      ...silent.map((task) => `"${task?.episodes[0]?.title}" has failed and nobody is told why.`),
    ]);
  },
};
