import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("..", import.meta.url));
const runner = join(project, "scripts/run.mjs");
const temp = mkdtempSync(join(tmpdir(), "podcrew-run-"));
after(() => rmSync(temp, { recursive: true, force: true }));

function entry(name: string, code: string): string {
  const path = join(temp, name);
  writeFileSync(path, code);
  return path;
}

const living = entry(
  "living.ts",
  `const hear = (name: string) => process.on(name, () => { console.log(name); if (name === "disconnect" || name === "SIGTERM") process.exit(7); });
   ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"].forEach(hear);
   setInterval(() => {}, 1000);
   console.log("up " + process.pid);`,
);

async function start(): Promise<{ child: ChildProcessByStdio<null, Readable, null>; pid: number; said: () => string }> {
  const child = spawn(process.execPath, [runner, living], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  for (const deadline = Date.now() + 20_000; !text.includes("up ") && Date.now() < deadline;) await sleep(20);
  return { child, pid: Number(/up (\d+)/.exec(text)?.[1]), said: () => text };
}

describe("scripts/run.mjs stands aside", () => {
  test("arguments, stdout and the exit code go through untouched", () => {
    const path = entry("args.ts", "const args: string[] = process.argv.slice(2); console.log(JSON.stringify(args)); process.exit(3);");
    const { status, stdout } = spawnSync(process.execPath, [runner, path, "--json", "--once", "two words", "--setup"], {
      encoding: "utf8",
    });
    assert.deepEqual([status, JSON.parse(stdout)], [3, ["--json", "--once", "two words", "--setup"]]);
  });

  test("an entry that dies of a signal is seen dying of it", () => {
    const path = entry("dies.ts", 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
    assert.equal(spawnSync(process.execPath, [runner, path], { encoding: "utf8" }).signal, "SIGKILL");
  });

  test("SIGTERM reaches the entry, and its exit code comes back", async () => {
    const { child, said } = await start();
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 7);
    assert.match(said(), /SIGTERM/);
  });

  test("a signal that comes twice at once is passed on once", async () => {
    const { child, said } = await start();
    child.kill("SIGINT");
    child.kill("SIGINT");
    for (const deadline = Date.now() + 10_000; !said().includes("SIGINT") && Date.now() < deadline;) await sleep(20);
    child.kill("SIGTERM");
    await once(child, "close");
    assert.equal(said().split("SIGINT").length - 1, 1);
  });

  async function gone(pid: number): Promise<boolean> {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(50)) {
      try {
        process.kill(pid, 0);
      } catch {
        return true;
      }
    }
    return false;
  }

  test("killed outright, it leaves no entry behind", async () => {
    const { child, pid } = await start();
    child.kill("SIGKILL");
    await once(child, "close");
    assert.ok(await gone(pid));
  });

  test("neither does an npm that is killed outright", async () => {
    writeFileSync(join(temp, "package.json"), JSON.stringify({ name: "launched", scripts: { start: `node ${runner} ${living}` } }));
    const npm = spawn("npm", ["start"], { cwd: temp, stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    npm.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    for (const deadline = Date.now() + 20_000; !text.includes("up ") && Date.now() < deadline;) await sleep(20);
    npm.kill("SIGKILL");
    const pid = Number(/up (\d+)/.exec(text)?.[1]);
    const ended = await gone(pid);
    if (!ended) process.kill(pid, "SIGKILL");
    assert.ok(ended);
  });
});
