import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ChaosVerdict } from "../../src/cli/chaos/verdict.ts";
import { podcrew } from "../support/podcrew.ts";
import { childProcesses, stillAlive } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

test("chaos --kills 3 --json kills its farm three times, and every episode is on the site once; nothing is left", async (t) => {
  const folder = await tempDir(t, "chaos");
  const run = podcrew(t, ["chaos", "--kills", "3", "--json"], { env: { TMPDIR: folder }, cwd: folder });
  assert.equal(await run.ended(170_000), 0, run.stderr());
  const verdict = JSON.parse(run.stdout()) as ChaosVerdict;
  const { faults, duplicated, lost, limbo, inDoubt, ok, problems } = verdict;
  assert.deepEqual(
    { faults, duplicated, lost, limbo, inDoubt, ok, problems },
    { faults: 3, duplicated: 0, lost: 0, limbo: 0, inDoubt: 0, ok: true, problems: [] },
  );
  assert.ok(verdict.episodes >= 4, `${verdict.episodes} episodes`);
  assert.equal(verdict.requestsPerEpisode.max, 1);
  assert.equal(run.stderr().match(/✗ kill \d/g)?.length, 3, "each kill is told");
  assert.deepEqual(await readdir(folder), [], "no folder of its own is left, and none was made where it was started");
});

test("Ctrl+C in the middle ends the farm, its browser and their folder", async (t) => {
  const folder = await tempDir(t, "chaos");
  const temporary = join(folder, "t");
  await mkdir(temporary);
  const run = podcrew(t, ["chaos", "--kills", "3"], { env: { TMPDIR: temporary }, cwd: folder });
  await run.says(/✗ kill 1 .*back in/, 120_000);
  const children = childProcesses(run.child.pid ?? 0);
  assert.ok(children.length > 0, "a farm runs");
  run.child.kill("SIGINT");
  assert.notEqual(await run.ended(50_000), 0);
  const deadline = Date.now() + 20_000;
  while (stillAlive(children).length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(stillAlive(children), []);
  assert.deepEqual(await readdir(temporary), []);
});
