import assert from "node:assert/strict";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { eachBackend } from "../support/store.ts";
import { passTime } from "../support/virtual-clock.ts";

const HOUR_MS = 3600_000;
const FIRST_REPORT_MS = 5000;

eachBackend("a manager that is away for an hour loses no report and hears none twice, the first within 5 s", async (t, { store }) => {
  const world = await givenWorld(t, store);
  const { clock, manager, site } = world;
  const ids = ["t1", "t2"];
  for (const id of ids) manager.add(aTask(id, {}, 2));
  const [posting, gone] = [new Set<string>(), Promise.withResolvers<void>()];
  await world.farm({
    script: async (point, { taskId }) => {
      if (point !== "before-arm") return;
      // It goes when everything is about to be posted: what follows is done without it.
      if (posting.add(taskId).size === ids.length) {
        manager.down = true;
        gone.resolve();
      }
      await gone.promise;
    },
  });
  await passTime(clock, "all episodes are on the site", () => site.history.length === ids.length * 2, { limitMs: HOUR_MS });
  assert.equal(manager.down, true);
  assert.deepEqual(
    manager.effects.filter((effect) => !effect.startsWith("start")),
    [],
    "nothing was reported yet",
  );

  await clock.advance(HOUR_MS);
  await clock.breathe();
  const [back, before] = [clock.now(), manager.effects.length];
  manager.down = false;
  await passTime(clock, "the first report", () => manager.effects.length > before, { stepMs: 100, limitMs: FIRST_REPORT_MS + 1000 });
  assert.ok(clock.now() - back <= FIRST_REPORT_MS, `the first report came after ${clock.now() - back} ms`);

  await passTime(clock, "all is reported", () => ids.every((id) => manager.tasks.get(id)?.status === "completed"));
  assert.deepEqual(
    manager.effects.filter((effect) => effect.startsWith("complete")).toSorted(),
    ids.map((id) => `complete ${id}`),
  );
  const markers = site.history.map(({ marker }) => marker);
  assert.equal(new Set(markers).size, markers.length, "each episode is on the site once");
});
