import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { FarmProcess } from "../../../../src/cli/chaos/farm-process.ts";
import { timesOf } from "../../../../src/cli/chaos/times.ts";
import { judge, printVerdicts, withProblems } from "../../../../src/cli/chaos/verdict.ts";
import { openWorld, type World } from "../../../../src/cli/chaos/world.ts";
import type { CrashPoint } from "../../../../src/kit/crashpoint.ts";
import { copyEmptyDatabase, silentLog } from "../../../support/store.ts";
import { openRealSite, type RunningSite } from "../real-site.ts";
import { runLane } from "./lane.ts";
import { site } from "./site.ts";

/** From the permission to click to the moment in which the farm has heard how it went. */
const atTheClick: readonly CrashPoint[] = ["gate-passed", "request-held", "bytes-sent", "reply-headers", "reply-parsed", "proof-heard"];
const KILLS = Number(process.env["KILLS"] ?? 20);
const LANES = ["wordpress", "wordpress"];
const LIMIT_MS = 14 * 60_000;

const farms = new Set<FarmProcess>();
const opened: RunningSite[] = [];
let world: World | null = null;
after(async () => {
  await Promise.all([...farms].map(async (farm) => farm.kill()));
  await world?.close();
  await Promise.all(opened.map(async (one) => one.close()));
});

test(
  "a farm that is killed at the publish click 20 times posts each episode once on a real WordPress",
  { timeout: LIMIT_MS },
  async (t) => {
    const given = (world = await openWorld({ log: silentLog, makeDatabase: copyEmptyDatabase }));
    const points = Array.from({ length: KILLS }, (_, kill) => atTheClick[kill % atTheClick.length]!);
    const ends = await Promise.all(
      LANES.map(async (driver, lane) => {
        const wordpress = await openRealSite(site);
        opened.push(wordpress);
        return runLane({
          world: given,
          wordpress,
          driver,
          name: `farm-${lane}`,
          points: points.filter((_, kill) => kill % LANES.length === lane),
          signal: t.signal,
          onFarm: (farm) => farms.add(farm),
          say: (text) => process.stdout.write(`${text}\n`),
        });
      }),
    );
    const faults = ends.flatMap((end) => end.faults);
    const verdict = judge({
      title: "farm killed at the publish click, real WordPress",
      faults: faults.length,
      publishes: ends.flatMap((end) => end.publishes),
      asked: await given.endings(new Set(ends.flatMap((end) => [...end.persons]))),
      ...timesOf(faults, await given.heard()),
    });
    process.stdout.write(`${printVerdicts([verdict])}\n`);

    const { problems, inDoubt, duplicated, lost, limbo } = withProblems(
      verdict,
      ends.flatMap((end) => end.missed),
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(
      { kills: faults.length, duplicated, lost, limbo, inDoubt },
      { kills: KILLS, duplicated: 0, lost: 0, limbo: 0, inDoubt: 0 },
    );
    for (const { asked, rows, drafts } of ends) {
      assert.deepEqual(rows, asked.map(({ title }) => `${title}\t1`).sort(), "what WordPress' own database says");
      assert.deepEqual(drafts, [], "drafts that are left");
    }
  },
);
