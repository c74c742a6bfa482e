import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync, globSync, mkdtempSync, rmSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { architectureProblems } from "../scripts/architecture.ts";

const project = fileURLToPath(new URL("..", import.meta.url));

describe("the parts know of each other only what the table allows", () => {
  test("no forbidden import, no cycle, no barrel", () => {
    assert.deepEqual(architectureProblems(project), []);
  });

  test("the product and its tests read nothing outside the project", () => {
    const reaching = globSync("{src,drivers,scripts,test}/**/*.{ts,mjs,js}", { cwd: project })
      .filter((file) => file !== "test/architecture.test.ts")
      .filter((file) => /\.\.\/shared\/|["'`]\/work\//.test(readFileSync(join(project, file), "utf8")));
    assert.deepEqual(reaching, []);
  });
});

test("drivers write into fields in one way, which looks whether the text came", () => {
  const drivers = [...globSync("drivers/**/*.{ts,md}", { cwd: project }), "src/cli/driver/scaffold.ts"];
  assert.ok(drivers.length > 10);
  assert.deepEqual(
    drivers.filter((file) => /\.(fill|pressSequentially)\((?!\))/.test(readFileSync(join(project, file), "utf8"))),
    [],
    "files that fill a field by themselves and not by writeText",
  );
});

describe("the check itself sees what it is for", () => {
  const copy = mkdtempSync(join(tmpdir(), "podcrew-architecture-"));
  after(() => rmSync(copy, { recursive: true, force: true }));
  for (const folder of ["src", "drivers"])
    cpSync(join(project, folder), join(copy, folder), { recursive: true, filter: (path) => !path.includes("/assets") });
  mkdirSync(join(copy, "src/dashboard"), { recursive: true });

  const mutations: { name: string; file: string; line: string; seen: RegExp }[] = [
    {
      name: "the manager imports the coordinator",
      file: "src/manager/planted.ts",
      line: 'import "../coordinator/farm.ts";',
      seen: /src\/manager\/planted\.ts imports src\/coordinator\/farm\.ts/,
    },
    {
      name: "the coordinator imports the manager, as a type",
      file: "src/coordinator/planted.ts",
      line: 'import type { Manager } from "../manager/manager.ts";',
      seen: /src\/coordinator\/planted\.ts imports src\/manager/,
    },
    {
      name: "the contract imports a tool",
      file: "src/contract/planted.ts",
      line: 'export const log = await import("../kit/log.ts");',
      seen: /src\/contract may import nothing of ours/,
    },
    {
      name: "the cli loads the worker into the main thread",
      file: "src/cli/planted.ts",
      line: 'import { run } from "../worker/entry.ts";',
      seen: /src\/cli\/planted\.ts imports src\/worker\/entry\.ts/,
    },
    {
      name: "a driver reaches past the public file",
      file: "drivers/planted.ts",
      line: 'import { Failure } from "../src/contract/failures.ts";',
      seen: /drivers may import src\/driver\/index\.ts/,
    },
    {
      name: "the dashboard imports code",
      file: "src/dashboard/planted.ts",
      line: 'import { failures } from "../contract/failures.ts";',
      seen: /types only/,
    },
    { name: "a second barrel", file: "src/kit/planted.ts", line: 'export * from "./clock.ts";', seen: /src\/kit\/planted\.ts hands on/ },
    {
      name: "a file that imports itself in a ring",
      file: "src/kit/planted.ts",
      line: 'import "./planted-two.ts";',
      seen: /import cycle: src\/kit\/planted-two\.ts <-> src\/kit\/planted\.ts/,
    },
    { name: "a part that nobody drew", file: "src/helpers/planted.ts", line: "export const one = 1;", seen: /no part of that name/ },
  ];

  for (const { name, file, line, seen } of mutations) {
    test(name, () => {
      const path = join(copy, file);
      const second = join(copy, "src/kit/planted-two.ts");
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, `${line}\n`);
      writeFileSync(second, 'import "./planted.ts";\n');
      try {
        assert.match(architectureProblems(copy).join("\n"), seen);
      } finally {
        rmSync(path);
        rmSync(second);
      }
    });
  }
});
