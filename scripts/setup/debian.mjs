// @ts-check
import { existsSync } from "node:fs";
import { run, tail } from "./run.mjs";

const isRoot = () => process.getuid?.() === 0;

/** Why Debian's packages can't be installed from here, or null. */
export function debianRefusal() {
  if (!existsSync("/usr/bin/apt-get")) return "not a Debian system";
  return isRoot() ? null : "needs root";
}

/** @param {string[]} packages */
export function aptCommand(packages) {
  return `${isRoot() ? "" : "sudo "}apt-get install -y --no-install-recommends ${packages.join(" ")}`;
}

/**
 * @param {string[]} packages
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | null>} what went wrong, or null
 */
export async function aptInstall(packages, env) {
  // RUNLEVEL: a database server that comes along is for our tests to start, not for the machine.
  const options = { env: { ...env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1", LC_ALL: "C" }, deadlineMs: 15 * 60_000 };
  const quickly = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "DPkg::Lock::Timeout=120"];
  const update = await run("apt-get", [...quickly, "update"], options);
  const install = await run("apt-get", [...quickly, "install", "-y", "--no-install-recommends", ...packages], options);
  if (install.code === 0) return null;
  return tail(install.output, 3) || tail(update.output, 3) || `apt-get ended with ${install.code}`;
}
