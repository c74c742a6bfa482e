// @ts-check
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { noteChild } from "./lock.mjs";

const OUTPUT_KEPT = 64 * 1024;
const LOOK_EVERY_MS = 500;

/**
 * Runs a command to its end, its output kept and not shown. It gets a process group of its own, so that a deadline ends
 * its children too.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, deadlineMs?: number, quietMs?: number, watch?: string[] }} [options]
 *   quietMs: ended when for so long neither output came nor anything under the `watch` folders grew
 * @returns {Promise<{ code: number | null, output: string, ended: "itself" | "deadline" | "quiet" | "unstartable" }>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    noteChild(child.pid);
    let output = "";
    /** @type {"itself" | "deadline" | "quiet"} */
    let ended = "itself";
    let lastGrowth = Date.now();
    let size = 0;
    const started = Date.now();
    /** @param {"deadline" | "quiet"} why */
    const end = (why) => {
      ended = why;
      killGroup(child.pid);
    };
    const timer = setInterval(() => {
      const now = Date.now();
      const grown = (options.watch ?? []).reduce((sum, folder) => sum + sizeOf(folder), 0);
      if (grown !== size) lastGrowth = now;
      size = grown;
      if (now - started > (options.deadlineMs ?? 600_000)) end("deadline");
      else if (options.quietMs && now - lastGrowth > options.quietMs) end("quiet");
    }, LOOK_EVERY_MS);
    const hear = (/** @type {Buffer} */ chunk) => {
      lastGrowth = Date.now();
      output = (output + chunk.toString()).slice(-OUTPUT_KEPT);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    // Ctrl+C reaches the terminal's foreground group, which the child is not in.
    const stop = () => {
      killGroup(child.pid);
      process.exit(130);
    };
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    for (const signal of signals) process.once(signal, stop);
    /** @param {number | null} code @param {"itself" | "deadline" | "quiet" | "unstartable"} how */
    const finish = (code, how) => {
      clearInterval(timer);
      noteChild(undefined);
      for (const signal of signals) process.off(signal, stop);
      resolve({ code, output, ended: how });
    };
    child.once("error", (error) => {
      output += error.message;
      finish(null, "unstartable");
    });
    child.once("close", (code) => finish(code, ended));
  });
}

/** @param {number | undefined} pid */
function killGroup(pid) {
  try {
    if (pid) process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** @param {string} folder @returns {number} bytes in it, all levels */
function sizeOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).reduce(
      (sum, entry) => sum + (entry.isDirectory() ? sizeOf(join(folder, entry.name)) : statSync(join(folder, entry.name)).size),
      0,
    );
  } catch {
    return 0;
  }
}

/** The last lines that say something. @param {string} output */
export function tail(output, lines = 6) {
  return output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !/^(at |npm (error|ERR!) A complete log)/.test(line))
    .slice(-lines)
    .join("\n        ");
}
