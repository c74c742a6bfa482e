import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { copyEmptyDatabase } from "../support/store.ts";
import { publishes } from "../support/history.ts";
import { ownPorts, podcrew } from "../support/podcrew.ts";
import { childProcesses, stillAlive } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

const DRAIN_MS = 30_000;

test("SIGTERM while an episode is posted ends within 30 s with no process and no folder left; the next start posts the rest", async (t) => {
  const data = await tempDir(t, "drain");
  await copyEmptyDatabase(data);
  const env = await ownPorts(data);
  const run = podcrew(t, ["demo"], { env });
  await run.says(/"message":"posted"/, 120_000);
  const children = childProcesses(run.child.pid ?? 0);
  assert.ok(children.length > 0, "a browser runs");
  const asked = Date.now();
  run.child.kill("SIGTERM");
  assert.equal(await run.ended(DRAIN_MS), 0, run.stderr());
  t.diagnostic(`drained in ${Date.now() - asked} ms`);
  await allGone(children);
  assert.deepEqual(await readdir(join(data, "tmp")).catch(() => []), [], "its temporary folder is gone");
  const between = await publishes(data);
  assert.ok(between.length >= 1 && between.length <= 3);

  const next = podcrew(t, ["demo", "--once", "--json"], { env });
  assert.equal(await next.ended(120_000), 0, next.stderr());
  assert.deepEqual(
    (await publishes(data)).map(({ outcome }) => outcome),
    ["published", "published", "published"],
  );
});

/** Chromium's helpers follow their browser, on a busy machine a while later. */
async function allGone(children: Parameters<typeof stillAlive>[0]): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (stillAlive(children).length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(stillAlive(children), [], "its browser is gone");
}
