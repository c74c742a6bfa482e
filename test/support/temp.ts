import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A fresh folder that is gone after the test, later than all that the test and its stores close. */
export async function tempDir(t: Pick<TestContext, "after">, name = "test"): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `podcrew-${name}-`));
  afterTheRest(t, 2, async () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/**
 * Hooks run in the order of their registration, so what was opened first would be closed first; one that is added by a
 * running hook runs behind the others.
 * @param rank 1: after the test's own hooks; 2: after those of rank 1
 */
export function afterTheRest(t: Pick<TestContext, "after">, rank: number, run: () => Promise<void>): void {
  t.after(async () => {
    if (rank === 0) await run();
    else afterTheRest(t, rank - 1, run);
  });
}
