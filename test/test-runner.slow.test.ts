import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runFiles } from "../scripts/testing/run-files.ts";

const temp = mkdtempSync(join(tmpdir(), "podcrew-runner-"));
after(() => rmSync(temp, { recursive: true, force: true }));

function file(name: string, code: string): string {
  const path = join(temp, name);
  writeFileSync(path, `import { test, describe } from "node:test";\n${code}\n`);
  return path;
}

async function outcomes(...files: string[]): Promise<string[]> {
  const { results } = await runFiles(files, 20_000);
  return results.map(({ name, outcome, detail }) => `${outcome}: ${name}${outcome === "skipped" ? `: ${detail}` : ""}`);
}

const fine = file("fine.test.ts", 'test("fine", () => {});');

describe("the runner counts every test", () => {
  test("passed, failed, and skipped with its reason", async () => {
    const mixed = file(
      "mixed.test.ts",
      'describe("a group", () => { test("good", () => {}); test("bad", () => { throw new Error("no"); }); }); test("later", { skip: "no database here" }, () => {});',
    );
    assert.deepEqual(await outcomes(mixed, fine), [
      "passed: a group > good",
      "failed: a group > bad",
      "skipped: later: no database here",
      "passed: fine",
    ]);
  });

  test("a file that does not load is a failure", async () => {
    assert.deepEqual(await outcomes(file("broken.test.ts", 'import "./nowhere.ts";'), fine), ["failed: (the file)", "passed: fine"]);
  });

  test("a file without tests is a failure", async () => {
    assert.deepEqual(await outcomes(file("empty.test.ts", ""), fine), ["passed: fine", "failed: (the file)"]);
  });

  test("a process that ends in the middle is a failure, named by its test", async () => {
    const { results, complete } = await runFiles([file("exits.test.ts", 'test("leaves", () => process.exit(0));')], 20_000);
    assert.equal(complete, false);
    assert.deepEqual(
      results.map(({ name, outcome }) => [name, outcome]),
      [["leaves", "failed"]],
    );
  });

  test("a test that hangs is killed and named", async () => {
    const { results } = await runFiles(
      [file("hangs.test.ts", 'test("waits for ever", () => new Promise(() => setInterval(() => {}, 1000)));')],
      3000,
    );
    assert.deepEqual(
      results.map(({ name, outcome }) => [name, outcome]),
      [["waits for ever", "failed"]],
    );
    assert.match(results[0]?.detail ?? "", /Nothing happened for 3 s/);
  });

  test("what keeps the process alive is told", async () => {
    const { results, notes } = await runFiles([file("lingers.test.ts", 'setInterval(() => {}, 1000); test("fine", () => {});')], 20_000);
    assert.equal(results[0]?.outcome, "passed");
    assert.match(notes.join(), /something kept the process alive/);
  });
});

test("no test at all is a failure, and the last line is the count", () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL("../scripts/test.ts", import.meta.url)), "no-file-is-named-so"],
    { encoding: "utf8" },
  );
  assert.equal(status, 1);
  assert.match(stdout, /No test file's path contains no-file-is-named-so\.\n0 passed, 0 failed\n$/);
});
