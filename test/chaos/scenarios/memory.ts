import { tiers } from "../support/paper-protocol.ts";
import type { MemoryUse } from "../support/farm-messages.ts";
import type { ChaosScenario } from "../support/scenario.ts";
import { verdictOf, World } from "../support/world.ts";

const EPISODES_A_TASK = 5;
const TASKS_A_BATCH = 10;
const BATCH = EPISODES_A_TASK * TASKS_A_BATCH;
/** Caches and compiled code fill, and the allocator's pools find their size: some thousand episodes, until the whole process is flat. */
const WARM_UP_BATCHES = 12;
const LONG_WARM_UP_BATCHES = 80;
/** As in life, the shows stay and the episodes come: what is kept of an account is kept once. */
const ACCOUNTS = 30;
const SAY_EVERY = 8;
const BATCH_MS = 60_000;
const MOST_BYTES_AN_EPISODE = 1024;

/** A farm that lives long: what it keeps of an episode that is over. */
export const scenario: ChaosScenario = {
  name: "memory",
  title: "memory of a farm that lives long",
  async run(context) {
    const warmUp = context.size(WARM_UP_BATCHES, LONG_WARM_UP_BATCHES);
    const batches = Math.ceil(context.size(600, 2000) / BATCH);
    // No delay: it is not time that is measured here.
    const world = await World.open(context, { backend: "postgres", site: { delayMs: 5 } });
    const farm = world.spare({ exposeGc: true });
    await farm.start(world.order(await world.dataDir(), { settings: { concurrency: 8 } }));
    const samples: MemoryUse[] = [];
    for (let batch = 0; batch < warmUp + batches; batch += 1) {
      for (let task = 0; task < TASKS_A_BATCH; task += 1)
        await world.give({
          tier: tiers[task % tiers.length]!,
          episodes: EPISODES_A_TASK,
          account: `show-${(batch * TASKS_A_BATCH + task) % ACCOUNTS}`,
        });
      if (!(await world.settled(farm, BATCH_MS))) throw new Error(`a batch did not end: ${JSON.stringify(await farm.status())}`);
      const used = await farm.memory();
      if (batch >= warmUp) samples.push(used);
      if (batch % SAY_EVERY === 0)
        context.say(`${(batch + 1) * BATCH} episodes, heap ${megabytes(used.heap)} MB, RSS ${megabytes(used.rss)} MB`);
    }
    const heap = slope(samples.map(({ heap: used, external }) => used + external)) / BATCH;
    const rss = slope(samples.map((sample) => sample.rss)) / BATCH;
    const say = (bytes: number): string => `${(bytes / 1024).toFixed(2)} KB`;
    const evidence = await world.evidence(farm);
    await farm.stop();
    const [first, last] = [samples[0]!, samples.at(-1)!];
    return verdictOf(
      scenario.title,
      [evidence],
      heap > MOST_BYTES_AN_EPISODE ? [`The heap grows by ${say(heap)} an episode; 1 KB is allowed.`] : [],
      `heap ${say(heap)} an episode, RSS ${say(rss)} an episode (${megabytes(first.rss)} to ${megabytes(last.rss)} MB) over ${samples.length * BATCH}`,
    );
  },
};

const megabytes = (bytes: number): number => Math.round(bytes / 1024 / 1024);

/** Of a line through equally spaced values, by least squares: growth a step. */
function slope(values: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [x, y] = [mean(values.map((_, index) => index)), mean(values)];
  const covariance = values.reduce((sum, value, index) => sum + (index - x) * (value - y), 0);
  return covariance / values.reduce((sum, _, index) => sum + (index - x) ** 2, 0);
}
