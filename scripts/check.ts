import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs, styleText } from "node:util";

/**
 * Every check in one command; each says one line, and a failing one what it found.
 *
 *     npm run check [-- --fix]     --fix formats, and mends what the linter can
 */
const LIMIT_MS = 5 * 60_000;
const { values } = parseArgs({ options: { fix: { type: "boolean", default: false } } });
const project = fileURLToPath(new URL("..", import.meta.url));
const bin = (path: string): string => `node_modules/${path}`;
const fix = values.fix;

const checks: Readonly<Record<string, readonly string[]>> = {
  format: [bin("oxfmt/bin/oxfmt"), fix ? "--write" : "--check", "."],
  lint: [bin("oxlint/bin/oxlint"), "--type-aware", "--deny-warnings", ...(fix ? ["--fix"] : [])],
  types: [bin("typescript/bin/tsc")],
  "dead code": [bin("knip/bin/knip.js"), "--no-progress"],
  lockfile: ["scripts/lock.mjs", "--check"],
  architecture: ["--test", "--test-reporter=dot", "test/architecture.test.ts"],
  documentation: ["--test", "--test-reporter=dot", "test/docs.test.ts"],
};

const groups = new Set<number>();
function endAll(): void {
  for (const pid of groups) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => (endAll(), process.exit(130)));
process.once("disconnect", () => (endAll(), process.exit(1)));
process.channel?.unref();

async function run(name: string, args: readonly string[]): Promise<boolean> {
  const started = Date.now();
  const child = spawn(process.execPath, args, {
    cwd: project,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
  if (child.pid) groups.add(child.pid);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.once("error", (error) => {
    output += error.message;
    resolve(false);
  });
  child.once("close", (code, signal) => {
    if (signal) output += `\nended by ${signal} after ${Math.round((Date.now() - started) / 1000)} s\n`;
    resolve(code === 0);
  });
  const passed = await promise;
  if (child.pid) groups.delete(child.pid);
  const mark = passed ? styleText("green", "ok  ") : styleText("red", "FAIL");
  process.stdout.write(
    `${mark} ${name}  ${((Date.now() - started) / 1000).toFixed(1)} s\n${passed ? "" : `${output.trimEnd().replaceAll(/^/gm, "     ")}\n`}`,
  );
  return passed;
}

// What mends files goes first and alone; what only reads goes together.
const writers = fix ? ["lint", "format"] : [];
const readers = Object.keys(checks).filter((name) => !writers.includes(name));
const results: boolean[] = [];
for (const name of writers) results.push(await run(name, checks[name]!));
results.push(...(await Promise.all(readers.map((name) => run(name, checks[name]!)))));
const failed = results.filter((passed) => !passed).length;
process.stdout.write(`${results.length - failed} checks passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
