import type { FarmProcess } from "./farm-process.ts";
import type { World } from "./world.ts";

export interface KillLoopOptions {
  kills: number;
  /** A farm lives so long at most after it has started, ms. */
  longestMs: number;
  /** A stand-in for the farm. */
  entry?: URL;
  random?: () => number;
  onKill?: (count: number) => void;
}

/** Share of the kills that hit a farm while it starts. */
const DURING_START = 0.15;
const A_START_MS = 1200;

/**
 * Kill -9 at random moments, again and again, each time with a successor on the same data. While one farm works the next one
 * loads, so that little time is lost. @returns the last successor, started and at work
 */
export async function killAtRandom(world: World, dataDir: string, options: KillLoopOptions): Promise<FarmProcess> {
  const { kills, longestMs, entry, random = Math.random } = options;
  const spare = (): FarmProcess => world.spare(entry ? { entry } : {});
  const order = world.order(dataDir);
  let [farm, next] = [spare(), spare()];
  for (let count = 1; count <= kills; count += 1) {
    await farm.warm();
    const started = farm.start(order);
    if (random() < DURING_START) {
      started.catch(() => undefined);
      await world.rest(random() * A_START_MS);
    } else {
      await started;
      await world.rest(random() * longestMs);
    }
    await world.kill(farm);
    options.onKill?.(count);
    [farm, next] = [next, spare()];
  }
  await next.kill();
  await farm.start(order);
  return farm;
}
