import type { Store } from "../../../src/store/store.ts";

/** How much is measured. */
export interface Sizes {
  contents: number;
  /** Of a run at saturation, and of one at a steady rate. */
  loadSeconds: number;
  steadyPerSecond: number;
  /** Links of the request that lists and pulls are compared with. */
  fewLinks: number;
  manyLinks: Readonly<Record<Store["backend"], number>>;
  /** At most so many for each list, and so long. */
  listCalls: number;
  listSeconds: number;
  pulls: number;
  imported: number;
  raceRounds: number;
}

export const fullSizes: Sizes = {
  contents: 200,
  loadSeconds: 8,
  steadyPerSecond: 500,
  fewLinks: 10_000,
  // To fill PGlite with a million takes longer than all the rest.
  manyLinks: { postgres: 1_000_000, pglite: 100_000 },
  listCalls: 200,
  listSeconds: 4,
  pulls: 200,
  imported: 10_000,
  raceRounds: 200,
};

/** Whether the bench runs at all; its times say nothing. */
export const quickSizes: Sizes = {
  contents: 10,
  loadSeconds: 0.3,
  steadyPerSecond: 100,
  fewLinks: 200,
  manyLinks: { postgres: 1000, pglite: 1000 },
  listCalls: 3,
  listSeconds: 1,
  pulls: 3,
  imported: 100,
  raceRounds: 2,
};
