// @ts-check
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Mendable } from "./say.mjs";

const WAIT_MS = 15 * 60_000;

/** @type {string | null} */
let held = null;

/**
 * Two set-ups of one folder (two terminals, or one started anew while an `npm ci` of a killed one still runs) take turns.
 *
 * @template T
 * @param {string} tools
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(tools, work) {
  const path = `${tools}/setup.lock`;
  try {
    mkdirSync(tools, { recursive: true });
  } catch (error) {
    throw new Mendable(
      `${tools} can't be made (${/** @type {Error} */ (error).message}).`,
      `run set-up as a user who may write there: sudo chown -R "$USER" ${tools.slice(0, tools.lastIndexOf("/"))}`,
    );
  }
  const deadline = Date.now() + WAIT_MS;
  while (!take(path)) {
    if (Date.now() > deadline) throw new Mendable("Another set-up of this folder does not end.", `rm ${path}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  held = path;
  try {
    return await work();
  } finally {
    held = null;
    rmSync(path, { force: true });
  }
}

/** The holder's running child: it may outlive a killed holder, and must not be run into. @param {number | undefined} pid */
export function noteChild(pid) {
  if (held) writeFileSync(held, JSON.stringify([process.pid, pid].filter(Boolean)));
}

/** @param {string} path */
function take(path) {
  try {
    writeFileSync(path, JSON.stringify([process.pid]), { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
  if (!holders(path).some(isAlive)) rmSync(path, { force: true });
  return false;
}

/** @param {string} path @returns {number[]} */
function holders(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return [];
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
