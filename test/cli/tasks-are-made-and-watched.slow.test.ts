import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { FOLDER_WORD, givenTasks, maya } from "../coordinator/tasks/given-tasks.ts";
import { podcrew } from "../support/podcrew.ts";
import { givenPglite } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { passTime } from "../support/virtual-clock.ts";

test("accounts come from a file, tasks are made, listed, stopped, run again, counted until none is open, and deleted", async (t) => {
  const { store } = await givenPglite(t);
  const { app, until, task, world } = await givenTasks(t, store, { server: { taskToken: "demo-task-token" } });
  const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  const folder = await tempDir(t, "cli-tasks");
  await writeFile(join(folder, "farm-token"), FOLDER_WORD);
  await writeFile(
    join(folder, "accounts.csv"),
    "website;email;username;password;note\nstudio.example.com;maya@example.com;;demo-password;kept\nstudio.example.com;;nam;demo-password;\nunknown.example.com;x@example.com;;p;\n",
  );
  await writeFile(join(folder, "config.json"), '{"captions":"From a file"}');
  const env = { TASK_PORT: port, PODCREW_DATA: folder, TASK_TOKEN: "demo-task-token" };
  const run = async (...args: string[]): Promise<{ code: number | string; out: string; err: string }> => {
    const command = podcrew(t, args, { env, cwd: folder });
    return { code: await command.ended(120_000), out: command.stdout(), err: command.stderr() };
  };

  const brought = await run("accounts", "import", "accounts.csv");
  assert.deepEqual([brought.code, JSON.parse(brought.out)], [1, { imported: 2, updated: 0, failed: 1 }]);
  assert.match(brought.err, /Row 3: no driver serves unknown\.example\.com/);
  assert.match((await run("accounts", "list")).out, /maya@example\.com +studio\.example\.com +slot-1/);

  const made = await run("task", "create", "--username", "maya@example.com,nam", "--captions", "Good morning", "--json");
  const { task_ids: ids } = JSON.parse(made.out) as { task_ids: number[] };
  assert.equal(ids.length, 2);
  await until(2, ...ids);
  assert.equal((await task(ids[0] ?? 0)).source, "ui");
  assert.match((await run("task", "create", "--serial", "slot-1", "--config", "@config.json", "--at", "23:00")).out, /^Task \d+\.\n$/);
  const later = (ids[1] ?? 0) + 1;
  assert.match(
    (await run("task", "list", "--status", "pending")).out,
    new RegExp(`${later} +pending +maya@example\\.com +slot-1 +post +at 23:00`),
  );
  assert.equal((await run("task", "stop", String(later))).out, `Task ${later} is stopped.\n`);
  assert.match((await run("task", "list", "--status", "failed")).out, /stopped/);
  assert.deepEqual(JSON.parse((await run("task", "stats", "--json")).out), { total: 3, pending: 0, running: 0, completed: 2, failed: 1 });
  const watched = await run("task", "stats", "--watch");
  assert.deepEqual([watched.code, /failed +1/.test(watched.out)], [1, true]);
  assert.equal((await run("task", "retry", String(later))).out, `Task ${later} runs again.\n`);
  await until(2, later);
  assert.equal(world.site.history.length, 3);
  assert.equal((await run("task", "retry")).out, "No task has failed.\n");
  const deleted = await run("task", "delete", String(later), "999");
  assert.deepEqual([deleted.code, deleted.out], [1, `Deleted: ${later}.\n`]);

  const refused = await run("task", "create", "--username", "nobody", "--captions", "x");
  assert.equal(refused.code, 2);
  assert.match(refused.err, /^The farm does not take that: .*nobody/);
});

test("who watches is told that an account needs a person, and the watch ends when that is settled", async (t) => {
  const { store } = await givenPglite(t);
  let challenged = true;
  const { app, create, engine, until, world } = await givenTasks(t, store, {
    accounts: [maya],
    script(point) {
      if (point === "sign-in" && challenged) throw new Failure("account.challenged", "captcha");
    },
  });
  const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  const folder = await tempDir(t, "cli-watch");
  const [id = 0] = await create();
  await passTime(world.clock, "a person is needed", async () => (await engine.freshStatus()).needsPerson.length > 0);
  const watch = podcrew(t, ["task", "stats", "--watch"], { env: { TASK_PORT: port, PODCREW_DATA: folder }, cwd: folder });
  await watch.says(/running +1[^]*A person is needed for maya@example\.com at scripted: podcrew status/);
  challenged = false;
  assert.equal(await engine.resolve({ task: `local:${id}.1` }), null);
  await until(2, id);
  assert.equal(await watch.ended(), 0, watch.stderr());
  assert.match(watch.stdout(), /completed +1\s+failed +0\s+total +1\s+$/);
});
