import assert from "node:assert/strict";
import { eachBackend } from "../support/store.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { passTime } from "../support/virtual-clock.ts";

eachBackend(
  "a database that can't grow in the middle of a task fails nothing: the task goes on when there is room",
  async (t, { store }) => {
    const world = await givenWorld(t, store);
    await store.raw(`
    create function farm.is_full() returns trigger language plpgsql as
      $$ begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
    create trigger full_disk before insert or update on farm.episodes for each row when (new.draft_id is not null) execute function farm.is_full()`);
    world.manager.add(aTask("t1", {}, 1));
    const { engine } = await world.farm();
    await passTime(world.clock, "its end is that the disk is full", async () => {
      const row = await engine.ledger.task("t1");
      return row?.state === "waiting" && /No space left/.test(`${row.waits_for} ${row.failure?.detail}`);
    });
    assert.deepEqual(world.site.history, []);
    assert.deepEqual(world.manager.effects, ["start t1"]);
    await store.raw("drop trigger full_disk on farm.episodes");
    await passTime(world.clock, "the manager was told", () => world.manager.effects.includes("account t1"));
    assert.deepEqual(world.manager.effects, ["start t1", "complete t1", "account t1"]);
    assert.equal(world.site.history.length, 1);
  },
);
