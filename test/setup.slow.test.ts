import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

/** Set-up as a newcomer runs it: in a fresh copy, with the real npm. */
const project = fileURLToPath(new URL("..", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "podcrew-fresh-"));

const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_CHANNEL|NODE_TEST)/.test(name))),
  PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
};

function setup(...flags: string[]): { status: number | null; said: string; ms: number } {
  const started = Date.now();
  const { status, stderr, stdout } = spawnSync(process.execPath, ["scripts/setup.mjs", ...flags], {
    cwd: copy,
    env,
    encoding: "utf8",
    timeout: 170_000,
  });
  assert.equal(stdout, "", "stdout belongs to results");
  return { status, said: stderr, ms: Date.now() - started };
}

describe("set-up in a fresh clone", () => {
  let reachable = true;
  before(() => {
    for (const name of ["package.json", "package-lock.json", ".npmrc", "scripts", "src"])
      cpSync(join(project, name), join(copy, name), { recursive: true });
  });
  after(() => rmSync(copy, { recursive: true, force: true, maxRetries: 5 }));

  test("--no-install names what is missing and exits 1", () => {
    const { status, said } = setup("--no-install");
    assert.equal(status, 1);
    assert.match(said, /npm packages: MISSING/);
    assert.ok(!existsSync(join(copy, "node_modules")));
  });

  test("brings what is missing, one line a thing with its time", (t) => {
    const { status, said } = setup();
    reachable = !/registry can't be reached/.test(said);
    if (!reachable) return t.skip("the npm registry can't be reached from here");
    assert.equal(status, 0, said);
    assert.match(said, /^set-up: npm packages … \d+ in package-lock\.json, installed \(\d+\.\d s\)$/m);
    return undefined;
  });

  test("does nothing in under a second when all is there", (t) => {
    if (!reachable) return t.skip("the npm registry can't be reached from here");
    const runs = [setup(), setup(), setup()];
    for (const { status, said } of runs) assert.deepEqual([status, /^set-up: all there \(\d\.\d s\)\n$/.test(said)], [0, true], said);
    // The best of three: the machine may be busy with other tests.
    assert.ok(Math.min(...runs.map(({ ms }) => ms)) < 1000);
    return undefined;
  });

  test("killed in the middle, it is mended by the next run", async (t) => {
    if (!reachable) return t.skip("the npm registry can't be reached from here");
    rmSync(join(copy, "node_modules"), { recursive: true });
    const first = spawn(process.execPath, ["scripts/setup.mjs"], { cwd: copy, env, stdio: "ignore" });
    const exited = once(first, "exit");
    for (const deadline = Date.now() + 60_000; !existsSync(join(copy, "node_modules")) && Date.now() < deadline;) await sleep(20);
    first.kill("SIGKILL");
    await exited;
    const { status, said } = setup();
    assert.equal(status, 0, said);
    assert.ok(existsSync(join(copy, "node_modules/fastify/package.json")));
    assert.match(readFileSync(join(copy, "node_modules/.package-lock.json"), "utf8"), /fastify/);
    return undefined;
  });

  test("a package whose files went is noticed", (t) => {
    if (!reachable) return t.skip("the npm registry can't be reached from here");
    rmSync(join(copy, "node_modules/zod"), { recursive: true });
    mkdirSync(join(copy, "node_modules/zod"));
    assert.match(setup("--no-install").said, /zod .* is missing/);
    return undefined;
  });
});
