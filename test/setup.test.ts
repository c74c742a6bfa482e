import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { fillIn, platformOf } from "../scripts/lock.mjs";
import { setUp } from "../scripts/setup.mjs";
import { withLock } from "../scripts/setup/lock.mjs";
import { isNewEnough } from "../scripts/setup/node.mjs";
import { staleness } from "../scripts/setup/packages.mjs";
import { createSay } from "../scripts/setup/say.mjs";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "podcrew-setup-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

interface Entry {
  version: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
}

/** A project whose lockfile wants `wanted` and whose node_modules holds `installed`. */
function project(t: TestContext, wanted: Record<string, Entry>, installed: Record<string, Entry> | null): string {
  const path = folder(t);
  const named = (list: Record<string, Entry>): Record<string, Entry> =>
    Object.fromEntries(Object.entries(list).map(([name, entry]) => [`node_modules/${name}`, entry]));
  writeFileSync(join(path, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...named(wanted) } }));
  if (!installed) return path;
  for (const name of Object.keys(installed)) {
    mkdirSync(join(path, "node_modules", name), { recursive: true });
    writeFileSync(join(path, "node_modules", name, "package.json"), "{}");
  }
  mkdirSync(join(path, "node_modules"), { recursive: true });
  writeFileSync(join(path, "node_modules/.package-lock.json"), JSON.stringify({ packages: named(installed) }));
  return path;
}

const one = { alpha: { version: "1.0.0" } };

describe("node_modules is stale", () => {
  test("not when it holds what the lockfile names", (t) => assert.equal(staleness(project(t, one, one)), null));
  test("when it is not there", (t) => assert.match(staleness(project(t, one, null)) ?? "", /node_modules is missing/));
  test("when a version differs", (t) => assert.match(staleness(project(t, one, { alpha: { version: "0.9.0" } })) ?? "", /alpha 1\.0\.0/));

  test("when somebody deleted a package", (t) => {
    const path = project(t, one, one);
    rmSync(join(path, "node_modules/alpha"), { recursive: true });
    assert.match(staleness(path) ?? "", /alpha/);
  });

  test("when npm was interrupted: its own record comes last", (t) => {
    const path = project(t, one, one);
    rmSync(join(path, "node_modules/.package-lock.json"));
    assert.match(staleness(path) ?? "", /interrupted/);
  });

  test("when an optional package of this platform lacks, but not for another platform's", (t) => {
    const foreign = { version: "1.0.0", optional: true, os: ["sunos"], cpu: ["s390x"] };
    assert.equal(staleness(project(t, { ...one, foreign }, one)), null);
    const own = { version: "1.0.0", optional: true, os: [process.platform], cpu: [process.arch] };
    assert.match(staleness(project(t, { ...one, own }, one)) ?? "", /own 1\.0\.0/);
  });
});

describe("set-up speaks clearly", () => {
  test("--no-install reports what is missing with the command that mends it, and brings nothing", async (t) => {
    const path = project(t, one, null);
    let text = "";
    const result = await setUp({
      project: path,
      install: false,
      env: { PATH: "", PODCREW_BROWSER: "/nowhere/chromium" },
      say: createSay({ write: (part) => (text += part) }),
    });
    assert.equal(result.complete, false);
    assert.match(text, /npm packages: MISSING: node_modules is missing\n\s+mend it: node scripts\/setup\.mjs/);
    assert.match(
      text,
      /browser: MISSING: PODCREW_BROWSER=\/nowhere\/chromium is not an executable file\n\s+mend it: correct PODCREW_BROWSER/,
    );
    assert.ok(!existsSync(join(path, "node_modules")));
  });

  test("a step that fails ends the set-up with its sentence and its mend", async (t) => {
    const path = project(t, one, one);
    let text = "";
    const result = await setUp({
      project: path,
      env: { PATH: "", PODCREW_BROWSER: "/nowhere/chromium" },
      say: createSay({ write: (part) => (text += part) }),
    });
    assert.deepEqual([result.complete, result.brought], [false, 1]);
    assert.match(
      text,
      /set-up: browser … NOT DONE \(\d+\.\d s\)\n\s+PODCREW_BROWSER=\/nowhere\/chromium is not an executable file\.\n\s+mend it: /,
    );
  });

  test("without npm it says so", async (t) => {
    const path = project(t, one, null);
    let text = "";
    await setUp({ project: path, env: { PATH: "" }, say: createSay({ write: (part) => (text += part) }) });
    assert.match(text, /npm is not on PATH\.\n\s+mend it: .*nodejs\.org/);
  });
});

describe("set-ups take turns", () => {
  test("a second one waits for the first", async (t) => {
    const tools = join(folder(t), ".node");
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = withLock(tools, async () => {
      order.push("first begins");
      await promise;
      order.push("first ends");
    });
    const second = withLock(tools, async () => order.push("second"));
    resolve();
    await Promise.all([first, second]);
    assert.deepEqual(order, ["first begins", "first ends", "second"]);
    assert.ok(!existsSync(join(tools, "setup.lock")));
  });

  test("the lock of a killed one is taken over", async (t) => {
    const tools = folder(t);
    // No process has this number: it is above Linux' largest.
    writeFileSync(join(tools, "setup.lock"), "[5000000]");
    assert.equal(await withLock(tools, async () => readFileSync(join(tools, "setup.lock"), "utf8")), JSON.stringify([process.pid]));
  });
});

test("Node 24.12 is old enough, 24.11 and 20 are not", () => {
  assert.deepEqual(["24.12.0", "24.21.0", "25.0.0", "24.11.9", "20.20.2"].map(isNewEnough), [true, true, true, false, false]);
});

describe("the lockfile names the packages of every platform", () => {
  test("what a partial registry left out is filled in", () => {
    const packages: Record<string, { version?: string; optional?: boolean; optionalDependencies?: Record<string, string> }> = {
      "node_modules/tool": {
        version: "1.0.0",
        optionalDependencies: { "@tool/linux-x64-musl": "1.0.0", "@tool/darwin-arm64": "1.0.0", "@tool/there-linux-x64": "1.0.0" },
      },
      "node_modules/@tool/there-linux-x64": { version: "1.0.0" },
    };
    assert.deepEqual(fillIn(packages), ["@tool/linux-x64-musl@1.0.0", "@tool/darwin-arm64@1.0.0"]);
    assert.deepEqual(packages["node_modules/@tool/linux-x64-musl"], {
      version: "1.0.0",
      cpu: ["x64"],
      libc: ["musl"],
      optional: true,
      os: ["linux"],
    });
    assert.deepEqual(fillIn(packages), []);
  });

  test("a platform is read from a name", () => {
    assert.deepEqual(platformOf("@x/binding-win32-arm64-msvc"), { os: "win32", cpu: "arm64", libc: undefined });
    assert.deepEqual(platformOf("@x/binding-linux-arm-gnueabihf"), { os: "linux", cpu: "arm", libc: "glibc" });
    assert.equal(platformOf("fsevents"), null);
  });
});
