import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Page } from "playwright";
import { handOver, type Person } from "../../src/cli/hand-over.ts";
import { loadConfig } from "../../src/kit/config.ts";
import type { Edges } from "../../src/studio/edges.ts";
import { wholePodcrew } from "../support/whole.ts";
import { givenScreen, screenMissing } from "../support/xvfb.ts";

const options = { skip: screenMissing ?? false };
const about = "<p>One sentence that is read aloud.</p>";

/** A farm whose task was stopped by a challenge, and a way to be the person. */
async function given(t: TestContext, challenge: Edges["challenge"]) {
  const whole = await wholePodcrew(t, { edges: { challenge } });
  const { account, dataDir, farm, manager, studio } = whole;
  await givenScreen(t);
  const { taskId } = await manager.makeTask({ account: await account(), website: studio.url, episodes: [{ title: "First", about }] });
  const until = Date.now() + 90_000;
  while (farm.status().needsPerson.length === 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 100));
  const [waiting, more] = farm.status().needsPerson;
  assert.equal(waiting?.taskId, taskId, JSON.stringify(farm.status()));
  assert.equal(waiting?.handOver, true);
  assert.equal(more, undefined, "one reason is told once");
  const config = await loadConfig(
    { data: dataDir, taskPort: Number(new URL(farm.url).port), logLevel: "silent" },
    { PODCREW_BROWSER: process.env["PODCREW_BROWSER"] },
    dataDir,
  );
  return { ...whole, taskId, hand: async (person: Person) => handOver(config, taskId, person) };
}

/** What a person does: reads the letters in the picture and types them from right to left. */
async function solve(page: Page): Promise<void> {
  await page
    .getByRole("heading", { name: "Are you a human?" })
    .waitFor()
    .catch(async (error: Error) => assert.fail(`${page.url()} shows ${await page.locator("body").innerText()}: ${error.message}`));
  const letters = await page.locator("svg.puzzle text").allTextContents();
  await page.getByRole("textbox", { name: "Letters" }).fill(letters.join("").replace(/\s/g, "").split("").reverse().join(""));
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/challenge"));
}

test("a challenge while signing in: the person gets the very page, and the task goes on with their session", options, async (t) => {
  const { studio, taskId, reaches, hand, farm } = await given(t, "sign-in");
  const signIns = async (): Promise<number> => Number(/sign_ins_total\{result="ok"[^}]*\} (\d+)/.exec(await metrics(studio.url))?.[1] ?? 0);
  const before = await signIns();
  const code = await hand({
    async done(page) {
      await solve(page);
      return "done";
    },
  });
  assert.equal(code, 0);
  const task = await reaches(taskId, ["completed"]);
  assert.equal(task.status, "completed");
  assert.deepEqual(
    (await studio.history()).map(({ title, outcome }) => [title, outcome]),
    [["First", "published"]],
  );
  assert.equal(await signIns(), before, "nobody signed in once more");
  assert.deepEqual(farm.status().needsPerson, []);
});

test("a challenge at the publish click: the person closes the window, and the same draft is published, once", options, async (t) => {
  const { studio, taskId, reaches, hand } = await given(t, "publish");
  const code = await hand({
    async done(page) {
      await solve(page);
      await page.close();
      return new Promise(() => undefined);
    },
  });
  assert.equal(code, 0);
  await reaches(taskId, ["completed"]);
  const history = await studio.history();
  assert.equal(history.filter(({ outcome }) => outcome === "published").length, 1, JSON.stringify(history));
  assert.equal(new Set(history.map(({ episode }) => episode)).size, 1, "one draft from first to last");
});

test("a person who gives up hands nothing back, and the account still stands still", options, async (t) => {
  const { farm, hand, studio, taskId } = await given(t, "sign-in");
  assert.equal(await hand({ done: async () => "gone" }), 1);
  assert.equal(farm.status().needsPerson[0]?.taskId, taskId);
  assert.deepEqual(await studio.history(), []);
});

async function metrics(origin: string): Promise<string> {
  return (await fetch(`${origin}/metrics`)).text();
}
