import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../src/worker/explain.ts";
import type { Stage } from "../../src/worker/stage.ts";

const gone = { isClosed: () => true };
const stage = { page: gone, driver: { site: "a-studio" }, trouble: { count: 0, last: "", unanswered: null }, lastDocument: null };
const log = (...lines: string[]): Error =>
  new Error(
    ["locator.waitFor: Timeout 20000ms exceeded.", "Call log:", ...lines.map((line) => `\u001b[2m  - ${line}\u001b[22m`), ""].join("\n"),
  );
const told = async (thrown: Error): Promise<string> => (await explain(thrown, { verb: "draft" }, stage as unknown as Stage, [], 0)).message;

test("a step that a pop-up held up is told with the pop-up; one that went on after it without", async () => {
  const [waited, met] = [
    "waiting for getByLabel('Title')",
    "  found locator('#whats-new').first(), intercepting action to run the handler",
  ];
  assert.match(
    await told(log(waited, met)),
    /draft: locator\.waitFor: Timeout 20000ms exceeded, waiting for getByLabel\('Title'\); the pop-up locator\('#whats-new'\)\.first\(\) was not put away/,
  );
  assert.doesNotMatch(await told(log(waited, met, "  interception handler has finished, continuing")), /pop-up/);
});
