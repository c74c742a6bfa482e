import assert from "node:assert/strict";
import { test } from "node:test";
import type { Edges } from "../../src/studio/edges.ts";
import { givenTier } from "../support/tiers.ts";

/** The studio decides: its history has one episode for each that was asked for, whatever became of the first publish request. */
const byId = /^POST \/shows\/([^/]+)\/episodes\/[^/]+\/publish$/;
const atOnce = /^POST \/shows\/([^/]+)\/episodes$/;

const tiers: { name: string; edges: Partial<Edges>; driver: string | null; publishRequest: RegExp }[] = [
  { name: "a studio with drafts", edges: {}, driver: null, publishRequest: byId },
  { name: "a studio with a list", edges: { tier: "list" }, driver: "studio-list", publishRequest: atOnce },
  {
    name: "a studio with a list and no marker",
    edges: { tier: "list", marker: false },
    driver: "studio-list-unmarked",
    publishRequest: atOnce,
  },
];

for (const { name, edges, driver, publishRequest } of tiers) {
  test(`${name}: a lost answer is found, a lost request is made again; each is out once and nobody is asked`, async (t) => {
    const tier = await givenTier(t, edges, driver, publishRequest);
    const answerLost = await tier.ask("lost", "The answer went missing");
    const requestLost = await tier.ask("cut", "The request went missing");
    const [found, again] = [await tier.completed(answerLost), await tier.completed(requestLost)];

    for (const [task, title] of [
      [found, "The answer went missing"],
      [again, "The request went missing"],
    ] as const) {
      assert.deepEqual(await tier.history(title), ["published"], title);
      const paths = (await tier.links(title)).map((link) => new URL(link).pathname);
      assert.deepEqual([new URL(task.linkPost).pathname], paths, title);
    }
    assert.deepEqual(tier.whole.farm.status().needsPerson, []);
  });
}
