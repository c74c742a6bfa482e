import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { Assignment, CoordinatorCalls } from "../../src/contract/task.ts";
import type { RunningAssignment, WorkerPool } from "../../src/coordinator/ports.ts";
import { openWorkerPool } from "../../src/coordinator/worker-pool.ts";
import { settings, type Setting } from "../../src/kit/settings.ts";
import { tempDir } from "../support/temp.ts";

interface Given {
  pool: WorkerPool;
  tmpDir: string;
  /** @returns the assignment and the id of the thread that it runs in */
  begin(behaviour: string, alone?: boolean): { running: RunningAssignment; thread: Promise<string> };
}

async function given(t: TestContext): Promise<Given> {
  const tmpDir = await tempDir(t, "pool");
  const pool = openWorkerPool({
    workerModule: new URL("../support/scripted-thread.ts", import.meta.url),
    maxThreads: 2,
    tasksPerThread: 2,
    pingMs: 200,
    tmpDir,
  });
  t.after(async () => pool.close());
  return {
    pool,
    tmpDir,
    begin(behaviour, alone = false) {
      const began = Promise.withResolvers<string>();
      const calls = {
        step: (_name: string, detail: string) => began.resolve(detail),
        next: async () => ({ kind: "stop", reason: "" }),
      } as unknown as CoordinatorCalls;
      const running = pool.run({ credentials: { username: behaviour } } as Assignment, calls, alone);
      running.result.catch(() => undefined);
      return { running, thread: began.promise };
    },
  };
}

test("one thread is filled before the next is opened; a suspect gets one of its own; TMPDIR is the farm's", async (t) => {
  const { begin, pool, tmpDir } = await given(t);
  const { problems } = await pool.describe(["x"]);
  assert.equal(problems[0]?.message, `TMPDIR is ${tmpDir}`);
  const tasks = [begin("until-canceled"), begin("until-canceled"), begin("until-canceled"), begin("until-canceled", true)];
  const [first, second, third, alone] = await Promise.all(tasks.map(async (task) => task.thread));
  assert.equal(first, second);
  assert.notEqual(second, third);
  assert.ok(alone !== first && alone !== third);
  for (const { running } of tasks) running.cancel("enough");
  for (const { running } of tasks)
    assert.deepEqual(await running.result, { outcome: "failed", failure: { code: "task.canceled", detail: "enough" } });
});

test("a thread that dies takes its own tasks with it and no others; the next task finds a thread", async (t) => {
  const { begin } = await given(t);
  const neighbours = [begin("until-canceled"), begin("exit")];
  const elsewhere = begin("until-canceled");
  for (const { running } of neighbours) await assert.rejects(running.result, /exited|terminat/i);
  elsewhere.running.cancel("enough");
  assert.equal((await elsewhere.running.result).outcome, "failed");
  assert.deepEqual(await begin("ask").running.result, { outcome: "stopped" });
});

test("a thread whose driver blocks it is noticed and ended by itself; its task counts as died", async (t) => {
  const { begin } = await given(t);
  const stuck = begin("hang");
  const neighbour = begin("until-canceled", true);
  await stuck.thread;
  await assert.rejects(stuck.running.result, /terminat/i);
  neighbour.running.cancel("enough");
  assert.equal((await neighbour.running.result).outcome, "failed", "others go on");
});

test("a thread that does not answer is ended", async (t) => {
  const { begin } = await given(t);
  const stuck = begin("hang");
  await stuck.thread;
  stuck.running.cancel("enough");
  await stuck.running.kill();
  await assert.rejects(stuck.running.result);
  assert.deepEqual(await begin("ask").running.result, { outcome: "stopped" });
});

test("a driver's thread sees none of the farm's secrets, and what else its environment holds", async (t) => {
  const tmpDir = await tempDir(t, "pool");
  const module = join(tmpDir, "tells.mjs");
  await writeFile(
    module,
    `export const describe = () => ({ cards: [], problems: Object.keys(process.env).map((name) => ({ module: name, message: "" })) });
     export const closeBrowser = () => undefined;`,
  );
  const all = Object.values<Setting>(settings);
  const secrets = [
    "MEDIA_STORE_SECRET",
    "MEDIA_STORE_KEY_ID",
    "STUDIO_KEY",
    "MANAGER_PASSWORD",
    "PODCREW_KEY_FILE",
    ...all.filter(({ secret }) => secret).map(({ env }) => env),
  ];
  for (const { env } of all.filter((one) => process.env[one.env] === undefined)) {
    process.env[env] = "x";
    t.after(() => delete process.env[env]);
  }
  const pool = openWorkerPool({ workerModule: pathToFileURL(module), maxThreads: 1, tasksPerThread: 1, tmpDir });
  t.after(async () => pool.close());
  const seen = new Set((await pool.describe([])).problems.map(({ module: name }) => name));
  assert.deepEqual(
    secrets.filter((name) => seen.has(name)),
    [],
  );
  assert.ok(seen.has("PATH") && seen.has("LOCALE"));
});
