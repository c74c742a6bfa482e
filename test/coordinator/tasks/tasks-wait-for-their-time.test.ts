import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../../support/store.ts";
import { passTime } from "../../support/virtual-clock.ts";
import { givenTasks, maya } from "./given-tasks.ts";

test("[T1 time] a task of 15:03 in Ho Chi Minh City starts at that minute, and not before", async (t) => {
  const { store } = await givenPglite(t);
  // The clock begins at 08:00 UTC, which is 15:00 there.
  const { create, task, until, world } = await givenTasks(t, store, { accounts: [maya], timeZone: "Asia/Ho_Chi_Minh" });
  const [id = 0] = await create({ start_time: "15:03" });
  assert.equal((await task(id)).starts_at, "2026-11-21T08:03:00.000Z");
  await passTime(world.clock, "three minutes pass", () => world.clock.now() >= Date.parse("2026-11-21T08:02:59Z"), { stepMs: 1000 });
  assert.deepEqual([(await task(id)).status, world.site.history.length], [0, 0]);
  await until(2, id);
  const { started_at } = await task(id);
  assert.ok(started_at && started_at >= "2026-11-21T08:03:00" && started_at < "2026-11-21T08:03:15", String(started_at));
});

test("[T1 time] what is past is tomorrow's; across midnight and both changes of the clocks it is the zone's own time", async (t) => {
  const { store } = await givenPglite(t);
  const { create, task, world, local } = await givenTasks(t, store, { start: false, accounts: [maya], timeZone: "Europe/Berlin" });
  const startsAt = async (now: string, start_time: string): Promise<string | null> => {
    await world.clock.advance(Date.parse(now) - world.clock.now());
    const [id = 0] = await create({ start_time });
    const { starts_at } = await task(id);
    const isDue = async (): Promise<boolean> => {
      const answer = await local.source.pull(10, ["studio.example.com"]);
      return answer.kind === "tasks" && answer.tasks.some((one) => one.id === `local:${id}.1`);
    };
    assert.equal(await isDue(), false, "not yet");
    await world.clock.advance(Date.parse(starts_at ?? "") - world.clock.now());
    assert.equal(await isDue(), true, "due");
    await local.tasks.remove([id]);
    return starts_at;
  };
  // 23:50 in Berlin.
  assert.equal(await startsAt("2026-12-01T22:50:00Z", "00:10"), "2026-12-01T23:10:00.000Z");
  assert.equal(await startsAt("2026-12-02T12:01:00Z", "13:00"), "2026-12-03T12:00:00.000Z");
  // In the night of 28 March 2027 the clocks go from 02:00 to 03:00.
  assert.equal(await startsAt("2027-03-27T20:00:00Z", "02:30"), "2027-03-28T01:30:00.000Z");
  assert.equal(await startsAt("2027-03-28T05:00:00Z", "06:30"), "2027-03-29T04:30:00.000Z");
  // In that of 31 October 2027 02:30 comes twice: the first one counts.
  assert.equal(await startsAt("2027-10-30T20:00:00Z", "02:30"), "2027-10-31T00:30:00.000Z");
  assert.equal(await startsAt("2027-10-31T00:45:00Z", "02:30"), "2027-11-01T01:30:00.000Z");
});

test("[T1 time] what fell due while no farm lived starts with the next one", async (t) => {
  const { store } = await givenPglite(t);
  const before = await givenTasks(t, store, { start: false, accounts: [maya] });
  const [id = 0] = await before.create({ start_time: "08:05" });
  await before.world.clock.advance(3600_000);
  await before.engine.start();
  await before.until(2, id);
  assert.equal(before.world.site.history.length, 1);
});
