// @ts-check
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { npm } from "./npm.mjs";

/**
 * @typedef {{ version?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} Entry
 * @typedef {{ packages?: Record<string, Entry> }} Lock
 */

const STAMP = "node_modules/.podcrew-setup.json";

/** @param {string} path @returns {string | null} */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** @param {string[] | undefined} wanted npm's os/cpu/libc lists, with `!` for "not" @param {string} own */
function suits(wanted, own) {
  if (!wanted) return true;
  return wanted.some((one) => one.startsWith("!")) ? !wanted.includes(`!${own}`) : wanted.includes(own);
}

/** @returns {"glibc" | "musl"} */
function libc() {
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return header.glibcVersionRuntime ? "glibc" : "musl";
}

/** Read only where it matters: a report takes longer than all the rest. @param {Entry} entry */
function isForHere(entry) {
  return (
    suits(entry.os, process.platform) &&
    suits(entry.cpu, process.arch) &&
    (!entry.libc || process.platform !== "linux" || suits(entry.libc, libc()))
  );
}

/**
 * What node_modules lacks of the lockfile, by npm's own record of what it installed (`node_modules/.package-lock.json`,
 * written last, so it is missing after an interrupted install) and by a look at each folder.
 *
 * @param {string} project
 * @returns {string | null} a sentence, or null when all is there
 */
export function staleness(project) {
  const lockText = read(`${project}/package-lock.json`);
  if (!lockText) return "package-lock.json is missing";
  const installedText = read(`${project}/node_modules/.package-lock.json`);
  if (!installedText) return existsSync(`${project}/node_modules`) ? "an install was interrupted" : "node_modules is missing";
  const wanted = /** @type {Lock} */ (JSON.parse(lockText)).packages ?? {};
  const installed = /** @type {Lock} */ (JSON.parse(installedText)).packages ?? {};
  // An optional package that npm could not get once is not asked for again at every start.
  const tried = read(`${project}/${STAMP}`) === stamp(lockText);
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "") continue;
    const there = installed[path]?.version === entry.version && existsSync(`${project}/${path}/package.json`);
    if (there) continue;
    if (entry.optional && (tried || !isForHere(entry))) continue;
    return `${path.replace("node_modules/", "")} ${entry.version} is missing or has another version`;
  }
  return null;
}

/** @param {string} lockText */
function stamp(lockText) {
  return JSON.stringify({ lock: createHash("sha256").update(lockText).digest("hex") });
}

/** @type {import("../setup.mjs").Step} */
export const packagesStep = {
  title: "npm packages",
  async look({ project }) {
    const stale = staleness(project);
    return stale
      ? { ok: false, missing: stale, mend: "node scripts/setup.mjs (or: npm ci)" }
      : { ok: true, found: "as in package-lock.json" };
  },
  async bring(place) {
    await npm(place, ["ci", "--include=dev", "--include=optional"]);
    const lockText = readFileSync(`${place.project}/package-lock.json`, "utf8");
    writeFileSync(`${place.project}/${STAMP}`, stamp(lockText));
    return `${Object.keys(/** @type {Lock} */ (JSON.parse(lockText)).packages ?? {}).length - 1} in package-lock.json, installed`;
  },
};
