#!/usr/bin/env node
// @ts-check
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { knownNode } from "./setup/node.mjs";
import { withNodeFirst } from "./setup/npm.mjs";

/**
 * Runs a TypeScript entry of the project by Node 24, whatever Node this is:
 *
 *     node scripts/run.mjs [--setup | --setup=tests] <entry.ts> [arguments]
 *
 * The entry is a child with our terminal and an IPC channel. Signals are passed on and its end is ours. When this process
 * or the npm above it is killed outright the channel closes: an entry that lives long ends itself on `process.on("disconnect")`.
 */
const project = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const REPEAT_MS = 1000;
const LOOK_MS = 500;

async function main() {
  const [first = "", ...rest] = process.argv.slice(2);
  const setup = /^--setup(=tests)?$/.exec(first);
  const [entry, ...args] = setup ? rest : [first, ...rest];
  if (!entry) {
    process.stderr.write("Usage: node scripts/run.mjs [--setup | --setup=tests] <entry.ts> [arguments]\n");
    return 2;
  }
  if (setup) {
    const { setUp } = await import("./setup.mjs");
    const { complete } = await setUp({ project, tests: Boolean(setup[1]) });
    if (!complete) return 1;
  }
  const node = knownNode(`${project}/.node`);
  if (!node) {
    process.stderr.write(`This is Node ${process.versions.node}; Podcrew needs Node 24. Bring it: node scripts/setup.mjs\n`);
    return 1;
  }
  return follow(node, [resolve(project, entry), ...args]);
}

/**
 * npm killed outright tells nobody, so we look who our launcher is: npm above the shell in which it runs a script, or npm
 * itself where that shell made way. Started by hand there is none: a terminal that went away is no reason to end.
 */
function launcherOf() {
  if (!process.env["npm_lifecycle_event"]) return null;
  try {
    const [, name = "", parent = ""] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${process.ppid}/stat`, "utf8")) ?? [];
    return name.startsWith("npm") ? process.ppid : Number(parent);
  } catch {
    return process.ppid;
  }
}

/** @param {string} node @param {string[]} args @returns {Promise<number>} */
function follow(node, args) {
  const child = spawn(node, args, { stdio: ["inherit", "inherit", "inherit", "ipc"], env: withNodeFirst(process.env, node) });
  const passed = new Map();
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      // A terminal sends Ctrl+C to the whole group, the child included; npm adds one of its own. A second one would mean "at once".
      const before = passed.get(signal) ?? 0;
      passed.set(signal, Date.now());
      if (Date.now() - before < REPEAT_MS || (signal === "SIGINT" && process.stdin.isTTY)) return;
      child.kill(signal);
    });
  }
  const launcher = launcherOf();
  const look = setInterval(() => {
    if (launcherOf() === launcher || !child.connected) return;
    clearInterval(look);
    child.disconnect();
  }, LOOK_MS);
  look.unref();
  return new Promise((done) => {
    child.once("error", (error) => {
      process.stderr.write(`${node} can't be started: ${error.message}. Mend it: rm -rf .node && node scripts/setup.mjs\n`);
      done(1);
    });
    child.once("exit", (code, signal) => {
      if (!signal) return done(code ?? 1);
      // Dies of what the child died of, so that a shell sees the same.
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name);
      process.kill(process.pid, signal);
      // Signals that this process survives: say it by the usual number.
      setTimeout(() => done(1), 200);
    });
  });
}

process.exitCode = await main();
