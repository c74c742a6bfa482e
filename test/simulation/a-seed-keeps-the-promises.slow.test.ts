import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { outcomes } from "./checker.ts";
import { Database } from "./database.ts";
import { simulate } from "./simulate.ts";

/** The small form of `npm run test:simulation`. */
describe("the coordinator under a seeded simulation", async () => {
  const database = await Database.open();
  after(async () => database.close());

  test("150 seeds: nothing twice, nothing lost, nothing left open", async () => {
    const problems: string[] = [];
    for (let seed = 1; seed <= 150; seed += 1) {
      const { violations } = await simulate(database, { seed });
      problems.push(...violations.map(({ wrong, what }) => `seed ${seed}: ${wrong}: ${what}`));
    }
    assert.deepEqual(problems, []);
  });

  test("a seed tells the same story whatever ran before it", async () => {
    const stories: string[] = [];
    for (const seed of [11, 27, 11]) stories.push((await simulate(database, { seed })).story());
    assert.equal(stories[2], stories[0]);
    assert.notEqual(stories[1], stories[0]);
  });

  test("without the marker a stranger's entry passes for ours, and the checker says so", async () => {
    let caught: string | undefined;
    for (let seed = 1; seed <= 100 && !caught; seed += 1) {
      const { violations } = await simulate(database, { seed, rules: { marker: false } });
      caught = violations.find(({ wrong }) => outcomes.has(wrong))?.what;
    }
    assert.ok(caught, "100 seeds did not notice");
  });
});
