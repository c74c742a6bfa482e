import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { reasons } from "../scripts/dependencies.ts";
import { failuresPage, freshReadme } from "../scripts/docs.ts";
import { failures } from "../src/contract/failures.ts";
import { settings } from "../src/kit/settings.ts";

const project = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(project, path), "utf8");
const readme = read("README.md");
const manifest = JSON.parse(read("package.json")) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
};
const pages = globSync("{*.md,src/**/*.md,drivers/**/*.md,test/**/*.md}", { cwd: project });

describe("what the code says, the documentation says", () => {
  test("every failure has its row in src/FAILURES.md", () => {
    const page = read("src/FAILURES.md");
    for (const code of Object.keys(failures)) assert.ok(page.includes(`\`${code}\``), `${code} is not there: npm run docs`);
    assert.equal(page, failuresPage(), "src/FAILURES.md is out of date: npm run docs");
  });

  test("every setting has its row in README", () => {
    for (const { env } of Object.values(settings))
      assert.match(readme, new RegExp(`^\\| \`${env}\``, "m"), `${env} is not in README's table: npm run docs`);
  });

  test("every dependency has its reason in README", () => {
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies })) {
      assert.ok(reasons[name], `say in scripts/dependencies.ts what ${name} is for`);
      assert.ok(readme.includes(`| ${name} |`), `${name} is not in README's table: npm run docs`);
    }
  });

  test("no reason is left of a dependency that went", () => {
    const there = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
    assert.deepEqual(
      Object.keys(reasons).filter((name) => !there[name]),
      [],
    );
  });

  test("README's made tables are the ones that the code would make", () => {
    assert.ok(freshReadme(readme) === readme, "README.md is out of date: npm run docs");
    assert.doesNotMatch(readme, /@@\w+@@/, "a place in README is still to be filled");
  });
});

describe("a reader's first steps work", () => {
  test("every npm command that is named exists", () => {
    for (const page of pages) {
      for (const [, name = ""] of read(page).matchAll(/\bnpm run ([\w:-]+)/g))
        assert.ok(manifest.scripts[name], `${page} names \`npm run ${name}\``);
    }
    for (const name of ["start", "test"]) assert.ok(manifest.scripts[name]);
  });

  test("every file and script that package.json names exists", () => {
    for (const [name, command] of Object.entries(manifest.scripts)) {
      for (const [path = ""] of command.matchAll(/(?:scripts|src)\/[\w./-]+\.(?:ts|mjs)/g))
        assert.ok(existsSync(join(project, path)), `npm run ${name} runs ${path}`);
    }
  });

  test("every relative link leads somewhere", () => {
    for (const page of pages) {
      for (const [, target = ""] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^([a-z]+:|#)/i.test(target)) continue;
        const path = join(project, dirname(page), target.replace(/#.*$/, ""));
        assert.ok(existsSync(path), `${page} links to ${target}`);
      }
    }
  });
});
