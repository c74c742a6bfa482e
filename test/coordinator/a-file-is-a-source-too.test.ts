import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createFileSource } from "../../src/coordinator/file-source.ts";
import { UsageError } from "../../src/kit/config.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { givenPglite } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { passTime } from "../support/virtual-clock.ts";

test("tasks of a file are posted, the results stand beside it, and a second run posts nothing twice", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  const file = join(await tempDir(t), "tasks.json");
  const { status: _status, ...first } = aTask("f1", {}, 2);
  await writeFile(file, JSON.stringify([first, aTask("f2", { domain: "unknown.example.org" }, 1)]));

  for (let run = 0; run < 2; run++) {
    const source = await createFileSource(file);
    const { engine } = await world.farm({ over: { sources: [source] } });
    let idle = false;
    void engine.idle(60 * 60_000).then(() => (idle = true));
    await passTime(world.clock, "all of the file has ended", () => idle);
    await engine.stop(0);
    const results = JSON.parse(await readFile(source.resultPath, "utf8")) as Record<string, Record<string, unknown>>;
    assert.equal(source.resultPath, file.replace(".json", ".result.json"));
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
