import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { takeOutCrashpoints, withoutCrashpoints } from "../scripts/build/crashpoints.ts";

function given(t: TestContext, source: string): string {
  const dist = mkdtempSync(join(tmpdir(), "podcrew-dist-"));
  t.after(() => rmSync(dist, { recursive: true, force: true }));
  mkdirSync(join(dist, "src/kit"), { recursive: true });
  mkdirSync(join(dist, "src/worker"));
  writeFileSync(join(dist, "src/kit/crashpoint.js"), "export function crashpoint(name) {}\n");
  writeFileSync(join(dist, "src/worker/run.js"), source);
  return dist;
}

test("crash points and their import are gone from what is built, and the code around them is as it was", (t) => {
  const dist = given(
    t,
    'import { crashpoint } from "../kit/crashpoint.js";\nimport { a } from "./a.js";\nif (a) crashpoint("pulled");\ncrashpoint(a === 1 ? "ready" : "posted");\na();\n',
  );
  assert.equal(takeOutCrashpoints(dist), 2);
  assert.equal(readFileSync(join(dist, "src/worker/run.js"), "utf8"), 'import { a } from "./a.js";\nif (a) ;\n;\na();\n');
});

test("nothing is built with a crash point that can't be taken out", (t) => {
  for (const source of ["work(crashpoint);\n", "const x = () => crashpoint(named());\n"])
    assert.throws(() => takeOutCrashpoints(given(t, source)), /run\.js still holds a crash point/);
});

test("code without crash points is not touched", () => {
  assert.deepEqual(withoutCrashpoints("a();\n"), { code: "a();\n", count: 0 });
});
