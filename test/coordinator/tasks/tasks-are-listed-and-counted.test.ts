import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskView } from "../../../src/contract/task-api.ts";
import { givenPglite } from "../../support/store.ts";
import { givenTasks, maya, nam } from "./given-tasks.ts";

interface Page {
  tasks: TaskView[];
  total: number;
  page: number;
  page_size: number;
}

test("[T2] [T3] [T9] lists filter together, in pages, the newest first; one task is as in the list; stats count all", async (t) => {
  const { store } = await givenPglite(t);
  const { ask, create, local } = await givenTasks(t, store, { start: false, accounts: [maya, nam] });
  const ids = [
    ...(await create({ usernames: ["maya@example.com", "nam"] })),
    ...(await create({ usernames: ["nam"], source: "ui", start_time: "23:59" })),
    ...(await create({ usernames: Array.from({ length: 110 }, () => "maya@example.com") })),
  ];
  await local.db
    .updateTable("local_tasks")
    .set({ state: "completed" })
    .where("id", "=", ids[0] ?? 0)
    .execute();
  await local.db
    .updateTable("local_tasks")
    .set({ state: "failed", error: "no" })
    .where("id", "=", ids[1] ?? 0)
    .execute();
  const list = async (query: string): Promise<Page> => (await ask<Page>("GET", `/task?${query}`)).data;
  const found = async (query: string): Promise<number[]> => (await list(query)).tasks.map(({ id }) => id);

  const all = await list("");
  assert.deepEqual([all.total, all.page, all.page_size, all.tasks.length], [113, 1, 20, 20]);
  assert.deepEqual(
    all.tasks.map(({ id }) => id),
    ids.toReversed().slice(0, 20),
  );
  assert.deepEqual(await found("status=2"), [ids[0]]);
  assert.deepEqual(await found("status=3&serial=slot-2"), [ids[1]]);
  assert.deepEqual(await found("status=3&serial=slot-1"), []);
  assert.deepEqual(await found("source=ui"), [ids[2]]);
  assert.deepEqual((await list("script_name=post")).total, 113);
  assert.deepEqual((await list("script_name=other")).total, 0);
  assert.deepEqual(((page) => [page.page_size, page.tasks.length])(await list("page_size=5000")), [100, 100]);
  assert.deepEqual(((page) => [page.page, page.page_size, page.tasks.length])(await list("page=0&page_size=0")), [1, 1, 1]);
  assert.deepEqual(await found("page=3&page_size=50"), ids.toReversed().slice(100));
  assert.deepEqual(await found("page=99"), []);
  for (const query of ["status=4", "status=x", "source=cron", "page=x", "page_size=many"]) {
    const { code } = await ask("GET", `/task?${query}`);
    assert.equal(code, 40_001, query);
  }

  const [one] = (await list(`source=ui`)).tasks;
  assert.deepEqual((await ask("GET", `/task/${ids[2]}`)).data, one);
  assert.deepEqual(Object.keys(one ?? {}).slice(0, 13), [
    "id",
    "serial",
    "username",
    "script_name",
    "script_config",
    "source",
    "status",
    "start_time",
    "error",
    "result",
    "created_at",
    "started_at",
    "finished_at",
  ]);
  assert.deepEqual([one?.start_time, one?.status, one?.error, one?.result, one?.started_at], ["23:59", 0, null, null, null]);
  assert.deepEqual((await ask("GET", "/task/stats")).data, { total: 113, pending: 111, running: 0, completed: 1, failed: 1 });
});

test("[T3] [codes] an id that is none is a bad parameter, one that nobody has is not found", async (t) => {
  const { store } = await givenPglite(t);
  const { ask } = await givenTasks(t, store, { start: false });
  for (const id of ["x", "1.5", "-1", "1e3"]) assert.equal((await ask("GET", `/task/${id}`)).code, 40_001, id);
  for (const id of ["0", "999", "2147483648", "99999999999"]) {
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/stop"],
      ["POST", "/retry"],
    ] as const) {
      const answer = await ask(method, `/task/${id}${path}`);
      assert.deepEqual([answer.status, answer.code, answer.data], [404, 40_401, null], `${method} ${id}${path}`);
    }
  }
  assert.equal((await ask("GET", "/nothing")).code, 40_401);
});
