import type { ChaosVerdict } from "../../../src/cli/chaos/verdict.ts";

/** One way of making things go wrong, with many episodes, and what the site and the manager saw of it. */
export interface ChaosScenario {
  /** As it is asked for: `npm run test:chaos -- NAME`. */
  name: string;
  /** Its row in the table. */
  title: string;
  /** Upper bound of the whole scenario by its own size, ms; then it is ended and has failed. */
  limitMs?: (context: Pick<ChaosContext, "size" | "long">) => number;
  run(context: ChaosContext): Promise<ChaosVerdict>;
}

export interface ChaosContext {
  /** The numbers of the fault plan instead of those for a build server. */
  readonly long: boolean;
  size(ci: number, long: number): number;
  /** One line of progress. */
  say(text: string): void;
  /** Run in reverse order when the scenario has ended, however it ended. */
  after(step: () => Promise<void> | void): void;
  /** Fires when time is up or the run is ended. */
  readonly signal: AbortSignal;
}

/** A scenario that can't run on this machine: `why` is one sentence. It counts as neither passed nor failed. */
export class ScenarioSkipped extends Error {
  override readonly name = "ScenarioSkipped";
}
