import { withDeadline } from "../kit/deadline.ts";
import type { Log } from "../kit/log.ts";

/** One step of a start. What it returns undoes it. */
export interface Stage {
  title: string;
  start(): Promise<(() => Promise<void>) | void>;
  /** How long its undoing may take, ms. */
  stopWithinMs?: number;
}

const STOP_WITHIN_MS = 10_000;

/**
 * Starts the stages in order; when one fails, those before it are undone.
 * @returns undoes all of them in reverse; safe to call twice
 */
export async function startStages(stages: readonly Stage[], log: Log): Promise<() => Promise<void>> {
  const undo: { title: string; stop: () => Promise<void>; withinMs: number }[] = [];
  let stopping: Promise<void> | null = null;
  const stopAll = async (): Promise<void> => {
    for (const { title, stop, withinMs } of undo.toReversed()) {
      await withDeadline(withinMs, `stopping ${title}`, stop).catch((error: unknown) => log.warn(`stop: ${(error as Error).message}`));
    }
  };
  const stop = async (): Promise<void> => (stopping ??= stopAll());
  for (const stage of stages) {
    const began = performance.now();
    try {
      const stopStage = await stage.start();
      if (stopStage) undo.push({ title: stage.title, stop: stopStage, withinMs: stage.stopWithinMs ?? STOP_WITHIN_MS });
    } catch (error) {
      await stop();
      throw error;
    }
    log.debug(`${stage.title} is up`, { ms: Math.round(performance.now() - began) });
  }
  return stop;
}
