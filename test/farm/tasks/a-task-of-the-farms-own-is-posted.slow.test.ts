import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TaskView } from "../../../src/contract/task-api.ts";
import { requestJson } from "../../../src/kit/http.ts";
import { wholePodcrew } from "../../support/whole.ts";

const WITHIN_MS = 180_000;

test("[T1] a task over the API is narrated and posted by a real browser beside a manager's, each once, on accounts of its own", async (t) => {
  const whole = await wholePodcrew(t, { settings: { concurrency: 2 } });
  const { farm, studio, dataDir } = whole;
  const account = await whole.account();
  const word = (await readFile(join(dataDir, "farm-token"), "utf8")).trim();
  const call = async <Data>(method: "GET" | "POST", path: string, json?: unknown): Promise<Data> => {
    const { status, body } = await requestJson(`${farm.url}/api/v1${path}`, { method, json, headers: { authorization: `Bearer ${word}` } });
    assert.equal(status, 200, JSON.stringify(body));
    return (body as { data: Data }).data;
  };
  const { email, password, twofa } = account;
  const brought = await call<object>("POST", "/account/import", { accounts: [{ website: studio.url, email, password, twofa }] });
  assert.deepEqual(brought, { imported: 1, updated: 0, failed: 0, problems: [] });
  const managers = whole.post([{ title: "The manager's" }]);
  const { task_ids: ids } = await call<{ task_ids: number[] }>("POST", "/task", {
    usernames: [email],
    script_name: "post",
    script_config: { captions: "The farm's own\nRead aloud in one sentence." },
  });
  const until = Date.now() + WITHIN_MS;
  let task = await call<TaskView>("GET", `/task/${ids[0]}`);
  while (task.status < 2 || (task.status === 2 && !task.result?.link_rss)) {
    assert.ok(Date.now() < until, JSON.stringify([task, farm.status()]));
    await new Promise((resolve) => setTimeout(resolve, 200));
    task = await call<TaskView>("GET", `/task/${ids[0]}`);
  }
  assert.deepEqual([task.status, task.error, task.result?.links.length], [2, null, 1], JSON.stringify(task));
  assert.match(await (await fetch(task.result?.link_rss ?? "")).text(), /The farm(&apos;|&#39;|'|’)s own/);
  assert.equal((await managers).state, "completed");
  const posted = (await studio.history()).filter(({ outcome }) => outcome === "published").map(({ title }) => title);
  assert.deepEqual(posted.toSorted(), ["The farm's own", "The manager's"]);
});
