#!/usr/bin/env node
// @ts-check
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * npm leaves an optional package out of the lockfile when the registry at hand does not have it (a binary for another
 * platform, on a partial mirror), and then `npm ci` refuses that very lockfile as incomplete. This fills the gaps in, by
 * name and version; the platform is read from the name, as npm itself would find it in the package.
 *
 *     node scripts/lock.mjs [--check]     after every `npm install`
 *
 * @typedef {{ version?: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[], optionalDependencies?: Record<string, string> }} Entry
 */
const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32", "aix", "netbsd", "openbsd", "sunos"];
const processors = ["arm64", "arm", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el"];

/** @param {string} name e.g. "@scope/binding-linux-arm-gnueabihf" */
export function platformOf(name) {
  const words = name.slice(name.indexOf("/") + 1).split(/[-.]/);
  const os = systems.find((one) => words.includes(one));
  const cpu = processors.find((one) => words.includes(one));
  const libc = words.some((one) => one.startsWith("musl")) ? "musl" : words.some((one) => one.startsWith("gnu")) ? "glibc" : undefined;
  return os && cpu ? { os, cpu, libc: os === "linux" ? libc : undefined } : null;
}

/** Whether Node's resolution from `from` finds `name`. @param {Record<string, Entry>} packages @param {string} from @param {string} name */
function isLocked(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    if (packages[`${folder}${folder ? "/" : ""}node_modules/${name}`]) return true;
    if (!folder) return false;
  }
}

/** @param {Record<string, Entry>} packages changed in place @returns {string[]} names of what was missing */
export function fillIn(packages) {
  const missing = [];
  for (const [from, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isLocked(packages, from, name)) continue;
      const platform = platformOf(name);
      if (!platform || !/^\d+\.\d+\.\d+$/.test(version)) continue;
      missing.push(`${name}@${version}`);
      packages[`node_modules/${name}`] = {
        version,
        cpu: [platform.cpu],
        ...(entry.dev && { dev: true }),
        ...(platform.libc && { libc: [platform.libc] }),
        optional: true,
        os: [platform.os],
      };
    }
  }
  return missing;
}

function main() {
  const path = fileURLToPath(new URL("../package-lock.json", import.meta.url));
  const lock = JSON.parse(readFileSync(path, "utf8"));
  const missing = fillIn(lock.packages);
  if (missing.length === 0) return 0;
  if (process.argv.includes("--check")) {
    process.stdout.write(
      `package-lock.json lacks ${missing.length} optional packages of other platforms, so npm ci refuses it. Mend it: npm run lock\n`,
    );
    return 1;
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`package-lock.json: ${missing.length} optional packages of other platforms filled in\n`);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
