import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A fresh folder that is gone after the test, later than all that the test itself closes in `t.after`. */
export async function tempDir(t: Pick<TestContext, "after">, name = "test"): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `podcrew-${name}-`));
  // Hooks run in the order of their registration, and one that is added meanwhile runs last.
  t.after(() => t.after(async () => rm(folder, { recursive: true, force: true, maxRetries: 5 })));
  return folder;
}
