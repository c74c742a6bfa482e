import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findBrowser } from "../src/kit/find-browser.ts";

/** What somebody gets who installs the package, in an empty folder and without this repository. */
const project = fileURLToPath(new URL("..", import.meta.url));
const temp = mkdtempSync(join(tmpdir(), "podcrew-package-"));
const source = join(temp, "source");
const empty = join(temp, "empty");
const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { version: string; files: string[] };

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): { status: number | null; stdout: string; stderr: string } {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_CHANNEL|NODE_TEST|PODCREW_|DATABASE_URL|MANAGER_URL)/.test(name)),
  );
  return spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: 150_000,
    env: { ...clean, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`, ...env },
  });
}

describe("the packed package", () => {
  before(() => {
    mkdirSync(source);
    mkdirSync(empty);
    for (const name of readdirSync(project)) {
      if (["node_modules", "dist", ".git", ".node", "coverage", "test"].includes(name) || name.startsWith(".podcrew")) continue;
      cpSync(join(project, name), join(source, name), { recursive: true });
    }
    symlinkSync(join(project, "node_modules"), join(source, "node_modules"));
  });
  after(() => rmSync(temp, { recursive: true, force: true }));

  test("is built and packed with what it needs, and without what only we need", () => {
    const build = run(process.execPath, [join(source, "scripts/build.ts")], source);
    assert.equal(build.status, 0, build.stderr + build.stdout);
    for (const path of globSync("dist/**/*.js", { cwd: source }))
      if (!path.endsWith("kit/crashpoint.js")) assert.doesNotMatch(readFileSync(join(source, path), "utf8"), /crashpoint/, path);
    const pack = run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", temp, "--loglevel=error"], source);
    assert.equal(pack.status, 0, pack.stderr);
    const answer = JSON.parse(pack.stdout) as { files: { path: string }[] }[] | Record<string, { files: { path: string }[] }>;
    const paths = Object.values(answer).flatMap((one) => one.files.map((file) => file.path));
    for (const path of [
      "package.json",
      "README.md",
      "dist/src/cli/main.js",
      "dist/src/driver/index.js",
      "dist/src/driver/index.d.ts",
      "dist/src/worker/entry.js",
      "dist/drivers/podcrew-studio.js",
      "dist/src/studio/assets/studio.css",
    ])
      assert.ok(paths.includes(path), `${path} is missing`);
    assert.deepEqual(
      paths.filter((path) => /^(test|scripts\/(?!docker)|dist\/test)|\.test\.|(?<!\.d)\.ts$|\.npmrc|\.podcrew/.test(path)),
      [],
    );
  });

  test("installs into an empty folder and runs", async (t) => {
    writeFileSync(join(empty, "package.json"), '{"name":"somebody","private":true,"type":"module"}');
    const tarball = join(temp, `podcrew-${manifest.version}.tgz`);
    const install = run(
      "npm",
      ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--no-json", "--loglevel=error", tarball],
      empty,
    );
    if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT/.test(install.stderr)) return t.skip("the npm registry can't be reached from here");
    assert.equal(install.status, 0, install.stderr + install.stdout);

    await t.test("podcrew --version says the version", () => {
      assert.equal(run(join(empty, "node_modules/.bin/podcrew"), ["--version"], empty).stdout.trim(), manifest.version);
    });

    await t.test("podcrew doctor finds nothing wrong", () => {
      const browser = findBrowser();
      const doctor = run(join(empty, "node_modules/.bin/podcrew"), ["doctor"], empty, {
        ...browser?.env,
        PODCREW_DATA: join(temp, "data"),
        ...(browser && { PODCREW_BROWSER: browser.executable }),
      });
      assert.equal(doctor.status, 0, doctor.stdout + doctor.stderr);
      assert.match(doctor.stdout, /node .*24\./);
      assert.match(doctor.stdout, /database/);
    });

    await t.test("the drivers that come along load from JavaScript", () => {
      const list = run(join(empty, "node_modules/.bin/podcrew"), ["driver", "list"], empty, { PODCREW_DATA: join(temp, "data") });
      assert.match(list.stdout, /podcrew-studio/, list.stderr);
    });

    await t.test("a driver's author can import podcrew/driver, with its types", () => {
      writeFileSync(
        join(empty, "driver.ts"),
        'import { defineDriver, type Driver } from "podcrew/driver";\nexport const make: (driver: never) => Driver = defineDriver;\n',
      );
      const types = run(
        process.execPath,
        [
          join(project, "node_modules/typescript/bin/tsc"),
          "--noEmit",
          "--module",
          "nodenext",
          "--target",
          "es2024",
          "--lib",
          "es2025,dom,dom.iterable",
          "--skipLibCheck",
          "--strict",
          "driver.ts",
        ],
        empty,
      );
      assert.equal(types.status, 0, types.stdout);
      const load = run(
        process.execPath,
        ["-e", 'import("podcrew/driver").then((driver) => console.log(typeof driver.defineDriver))'],
        empty,
      );
      assert.equal(load.stdout.trim(), "function", load.stderr);
    });
    return undefined;
  });
});
