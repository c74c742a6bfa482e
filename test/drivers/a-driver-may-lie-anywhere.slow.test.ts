import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { podcrew } from "../support/podcrew.ts";
import { tempDir } from "../support/temp.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** The first TypeScript block of drivers/README.md: what a reader copies. */
async function exampleOfTheReadme(): Promise<string> {
  const readme = await readFile(join(project, "drivers/README.md"), "utf8");
  return /```ts\n(import \{ defineDriver[\s\S]*?)```/.exec(readme)?.[1] ?? "";
}

test("the README's example, in a folder without package.json and node_modules, is a driver of this farm", async (t) => {
  const folder = await tempDir(t, "own-drivers");
  await writeFile(join(folder, "my-studio.ts"), await exampleOfTheReadme());
  // A driver's own test lies beside it and is no driver.
  await writeFile(join(folder, "my-studio.test.ts"), 'throw new Error("a test was loaded as a driver");\n');
  const list = podcrew(t, ["driver", "list"], { env: { DRIVERS: folder, PODCREW_DATA: join(folder, "data") }, cwd: folder });
  assert.equal(await list.ended(), 0, list.stderr());
  assert.match(list.stdout(), /^podcrew-studio +127\.0\.0\.1:8710/m);
  assert.match(list.stdout(), new RegExp(`^my-studio +studio\\.example\\.com +drafts +browser +${join(folder, "my-studio.ts")}$`, "m"));
  assert.equal(list.stderr(), "");
});

test("a driver that can't be used is told with all its problems; the others stay", async (t) => {
  const folder = await tempDir(t, "own-drivers");
  const wrong = (await exampleOfTheReadme())
    .replace('site: "my-studio"', 'site: "My Studio"')
    .replace('tier: "drafts"', 'tier: "sometimes"');
  await writeFile(join(folder, "wrong.ts"), wrong);
  await writeFile(join(folder, "notes.ts"), "export default 7;\n");
  const list = podcrew(t, ["driver", "list"], { env: { DRIVERS: folder, PODCREW_DATA: join(folder, "data") }, cwd: folder });
  assert.equal(await list.ended(), 1);
  assert.match(list.stdout(), /^podcrew-studio /m);
  assert.match(list.stderr(), /wrong\.ts: The driver "My Studio" has 2 problems:\n {2}site: must be a name.*\n {2}tier: /);
  assert.match(list.stderr(), /notes\.ts: .*has no default export made by defineDriver\(\)/);
});

test("a folder that is not there is one sentence", async (t) => {
  const folder = await tempDir(t, "own-drivers");
  const list = podcrew(t, ["driver", "list"], {
    env: { DRIVERS: join(folder, "nowhere"), PODCREW_DATA: join(folder, "data") },
    cwd: folder,
  });
  assert.notEqual(await list.ended(), 0);
  assert.match(list.stderr(), /^DRIVERS=.*nowhere can't be read \(ENOENT\)\. Name a folder with your driver files\.$/m);
});

test("the bench runs for a driver outside the package, by the command of the README", async (t) => {
  const folder = await tempDir(t, "own-drivers");
  await writeFile(join(folder, "my-studio.ts"), await exampleOfTheReadme());
  const bench = `import { driverBench } from "podcrew/driver";
import driver from "./my-studio.ts";
driverBench(driver, { target: async () => { throw new Error("the twin does not start"); } });
`;
  await writeFile(join(folder, "my-studio.test.ts"), bench);
  const args = ["--import", "./src/worker/load-driver.ts", "--test", "--test-reporter=tap", join(folder, "my-studio.test.ts")];
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const run = await promisify(execFile)(process.execPath, args, { cwd: project, env, timeout: 60_000 }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  assert.match(run.stdout, /Subtest: driver my-studio/);
  assert.match(run.stdout, /the twin does not start/);
});
