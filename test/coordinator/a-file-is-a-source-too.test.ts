import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { createFileSource } from "../../src/coordinator/file-source.ts";
import { UsageError } from "../../src/kit/config.ts";
import { aTask, givenWorld, type World } from "../support/given-engine.ts";
import type { Script, ScriptedPool } from "../support/scripted-worker.ts";
import { givenPglite } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { passTime } from "../support/virtual-clock.ts";

interface Ended {
  /** By task. */
  results: Record<string, Record<string, unknown>>;
  resultPath: string;
  pool: ScriptedPool;
}

/** A farm of its own works off a file, and stops. */
async function workOff(world: World, file: string, script?: Script): Promise<Ended> {
  const source = await createFileSource(file);
  const { engine, pool } = await world.farm({ ...(script && { script }), over: { sources: [source] } });
  let idle = false;
  void engine.idle(60 * 60_000).then(() => (idle = true));
  await passTime(world.clock, "all of the file has ended", () => idle);
  await engine.stop(0);
  const results = JSON.parse(await readFile(source.resultPath, "utf8")) as Ended["results"];
  return { results, resultPath: source.resultPath, pool };
}

test("tasks of a file are posted, the results stand beside it, and a second run posts nothing twice", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const file = join(await tempDir(t), "tasks.json");
  const { status: _status, ...first } = aTask("f1", {}, 2);
  await writeFile(file, JSON.stringify([first, aTask("f2", { domain: "unknown.example.org" }, 1)]));

  for (let run = 0; run < 2; run++) {
    const { results, resultPath } = await workOff(world, file);
    assert.equal(resultPath, file.replace(".json", ".result.json"));
    assert.deepEqual(results["f1"], {
      status: "completed",
      link_post: world.site.history[0]?.link,
      links: { "f1-ep-1": world.site.history[0]?.link, "f1-ep-2": world.site.history[1]?.link },
      link_rss: "https://studio.example.com/feed.xml",
    });
    assert.deepEqual([results["f2"]?.["status"], results["f2"]?.["code"]], ["failed", "site.unsupported"]);
  }
  assert.equal(world.site.history.length, 2);
});

test("a file that asks for other episodes under the same id gets them, and those that are out are not posted again", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const file = join(await tempDir(t), "tasks.json");
  const run = async (...episodes: string[]): Promise<unknown> => {
    const data_content = episodes.map((id) => ({ id, title: id, about: "Text", image_url: "" }));
    await writeFile(file, JSON.stringify(aTask("f1", { data_content })));
    const { f1 } = (await workOff(world, file)).results;
    assert.deepEqual([f1?.["status"], Object.keys(f1?.["links"] ?? {})], ["completed", episodes]);
    return world.site.history.map(({ title }) => title);
  };
  assert.deepEqual(await run("one"), ["one"]);
  assert.deepEqual(await run("two"), ["one", "two"]);
  assert.deepEqual(await run("one", "two", "three"), ["one", "two", "three"]);
});

test("a failed task whose file names another account by now (its e-mail was mistyped) is that account's", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const file = join(await tempDir(t), "tasks.json");
  const passwords: (string | undefined)[] = [];
  const run = async (account: { email: string; password: string }, script: Script): Promise<unknown> => {
    await writeFile(file, JSON.stringify(aTask("f1", { account_id: "", ...account }, 1)));
    const { results, pool } = await workOff(world, file, script);
    passwords.push(...pool.assignments.map(({ assignment }) => `${assignment.accountKey} ${assignment.credentials.password}`));
    return results["f1"]?.["status"];
  };
  const refused: Script = (point) => {
    if (point === "sign-in") throw new Failure("account.incomplete", "no such account");
  };
  assert.equal(await run({ email: "mya@example.com", password: "one" }, refused), "failed");
  assert.equal(await run({ email: "maya@example.com", password: "two" }, () => undefined), "completed");
  assert.deepEqual(passwords, ["scripted:studio.example.com/mya@example.com one", "scripted:studio.example.com/maya@example.com two"]);
});

test("what is wrong with a file is said at once, all of it", async (t) => {
  const folder = await tempDir(t);
  const file = join(folder, "tasks.json");
  await writeFile(file, JSON.stringify([{ id: "" }, { id: "x", domain: "a.example", data_content: [{ title: "no id" }] }]));
  await assert.rejects(
    createFileSource(file),
    (error) =>
      error instanceof UsageError &&
      /task 1, id/.test(error.message) &&
      /task 1, domain/.test(error.message) &&
      /task 2, data_content\.0\.id/.test(error.message),
  );
  await assert.rejects(createFileSource(join(folder, "none.json")), /can't be read \(ENOENT\)/);
  await writeFile(file, '{"id": "task-1",\n"password": demo-secret}');
  await assert.rejects(
    createFileSource(file),
    (error) =>
      error instanceof UsageError &&
      error.message.endsWith("is no JSON: something is wrong in line 2.") &&
      !error.message.includes("secret"),
  );
  await writeFile(file, "[]");
  await assert.rejects(createFileSource(file), /there is no task in it/);
});
