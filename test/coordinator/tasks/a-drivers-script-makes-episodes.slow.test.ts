import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { openWorkerPool } from "../../../src/coordinator/worker-pool.ts";
import { givenPglite } from "../../support/store.ts";
import { tempDir } from "../../support/temp.ts";
import { givenTasks, maya, nam } from "./given-tasks.ts";

const DRIVER = (scripts: string): string => `
import { defineDriver, defineScript, z } from "podcrew/driver";
export default defineDriver({
  site: "scripted", origin: "https://studio.example.com", account: z.object({}), publishRequest: { method: "POST", url: /publish/ },
  async isSignedIn() { return true; }, async signIn() {}, async find() { return []; }, async draft() {}, async publish() {}, async feed() { return ""; },
});
export const scripts = ${scripts};
`;

const GREETING = `{
  greeting: defineScript({
    config: z.object({ city: z.string() }),
    episodes: ({ city }, { spin }) => [{ title: "Good morning, " + city, about: spin("<p>{Sun|Sun} today.</p>") }, { title: "Good night, " + city }],
  }),
  endless: defineScript({ config: z.object({}), episodes() { throw new Error("no more"); } }),
  empty: defineScript({ config: z.object({}), episodes: () => [] }),
  large: defineScript({ config: z.object({}), episodes: () => [{ title: "x", about: "y".repeat(1_000_000) }] }),
  timed: defineScript({
    config: z.object({}),
    async episodes() {
      const from = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 500));
      return [{ title: from + " " + Date.now() }];
    },
  }),
}`;

test("[T1] [scripts] what a user's driver exports is a script of its site: its episodes are posted through the ledger", async (t) => {
  const { store } = await givenPglite(t);
  const folder = await tempDir(t, "scripts");
  const file = join(folder, "scripted.ts");
  await writeFile(file, DRIVER(GREETING));
  const threads = openWorkerPool({
    workerModule: new URL("../../../src/worker/entry.ts", import.meta.url),
    maxThreads: 1,
    tasksPerThread: 1,
    tmpDir: folder,
  });
  t.after(async () => threads.close());
  const { cards, problems } = await threads.describe([pathToFileURL(file).href]);
  assert.deepEqual([problems, cards[0]?.scripts], [[], ["greeting", "endless", "empty", "large", "timed"]]);
  const { create, until, ask, world } = await givenTasks(t, store, {
    cards,
    accounts: [maya, nam],
    scripts: {
      runScript: async (card, script, config, count) => (await threads.script?.(card.module, script, config, count)) ?? { problem: "none" },
    },
  });
  const ids = await create({ usernames: ["maya@example.com", "nam"], script_name: "greeting", script_config: { city: "Hue" } });
  await until(2, ...ids);
  assert.deepEqual(world.site.history.map(({ title }) => title).toSorted(), [
    "Good morning, Hue",
    "Good morning, Hue",
    "Good night, Hue",
    "Good night, Hue",
  ]);
  assert.equal(new Set(world.site.history.map(({ marker }) => marker)).size, 4);
  const refused = async (script_name: string, script_config: object): Promise<string> => {
    const { code, message } = await ask("POST", "/task", { usernames: ["nam"], script_name, script_config });
    return `${code} ${message}`;
  };
  assert.match(await refused("greeting", {}), /^40001 .*city/);
  // What is wrong with the driver is for the log of whoever runs the farm, not for who calls.
  assert.match(await refused("endless", {}), /^50001 (?!.*no more)/);
  assert.match(await refused("empty", {}), /^50001 (?!.*no episodes)/);
  assert.match(await refused("farewell", {}), /^40003 .*post, greeting, endless, empty/);
  const [one] = cards;
  assert.ok(one && threads.script);
  const large = await threads.script(one.module, "large", {}, 40);
  assert.match("problem" in large ? large.problem : "", /fewer/);
  const endless = await threads.script(one.module, "endless", {}, 1);
  assert.match("broken" in endless ? endless.broken : "", /endless.*no more/);
});

test("[scripts] no more than two scripts run at a time, however many are asked for", async (t) => {
  const folder = await tempDir(t, "scripts");
  const file = join(folder, "scripted.ts");
  await writeFile(file, DRIVER(GREETING));
  const threads = openWorkerPool({
    workerModule: new URL("../../../src/worker/entry.ts", import.meta.url),
    maxThreads: 1,
    tasksPerThread: 1,
    tmpDir: folder,
  });
  t.after(async () => threads.close());
  const answers = await Promise.all(Array.from({ length: 5 }, async () => threads.script?.(pathToFileURL(file).href, "timed", {}, 1)));
  const spans = answers.map((answer) => {
    assert.ok(answer && "lists" in answer, JSON.stringify(answer));
    const [from = 0, to = 0] = (answer.lists[0]?.[0]?.title ?? "").split(" ").map(Number);
    return { from, to };
  });
  for (const { from } of spans)
    assert.ok(spans.filter((other) => other.from <= from && from < other.to).length <= 2, JSON.stringify(spans));
});

test("[scripts] a driver whose scripts are none says so, and is not used", async (t) => {
  const folder = await tempDir(t, "scripts");
  const threads = openWorkerPool({
    workerModule: new URL("../../../src/worker/entry.ts", import.meta.url),
    maxThreads: 1,
    tasksPerThread: 1,
    tmpDir: folder,
  });
  t.after(async () => threads.close());
  const wrong = { plain: "{ post2: 1 }", taken: "{ post: defineScript({ config: z.object({}), episodes: () => [] }) }", none: "7" };
  for (const [name, scripts] of Object.entries(wrong)) {
    await writeFile(join(folder, `${name}.ts`), DRIVER(scripts));
    const { cards, problems } = await threads.describe([pathToFileURL(join(folder, `${name}.ts`)).href]);
    assert.deepEqual([cards.length, problems.length], [0, 1], name);
  }
});
