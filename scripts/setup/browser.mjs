// @ts-check
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { aptCommand, aptInstall, debianRefusal } from "./debian.mjs";
import { seal } from "./node.mjs";
import { bringNpmBrowser, NPM_BROWSER } from "./npm-browser.mjs";
import { run, tail } from "./run.mjs";
import { Mendable } from "./say.mjs";

/**
 * @typedef {{ executable: string, kind: string, source: "setting" | "playwright" | "system" | "npm", env: Record<string, string> }} Found as src/kit/find-browser.ts prints it
 * @typedef {import("../setup.mjs").Place} Place
 */

const DEBIAN_PACKAGES = ["chromium-headless-shell", "fonts-dejavu-core"];
/** A download that stands still for so long is given up. */
const DOWNLOAD_QUIET_MS = 20_000;

/** Where a browser can come from, best first. Each returns what stood in its way, or null. @type {[string, (place: Place) => Promise<string | null>][]} */
const sources = [
  ["Playwright's download", downloadPlaywrights],
  ["Debian's packages", async ({ env }) => debianRefusal() ?? aptInstall(DEBIAN_PACKAGES, env)],
  [`npm's ${NPM_BROWSER}`, bringNpmBrowser],
];

/** @param {Place} place */
async function downloadPlaywrights(place) {
  const temp = `${place.tools}/download`;
  mkdirSync(temp, { recursive: true });
  const { code, output, ended } = await run(
    place.node,
    [`${place.project}/node_modules/playwright-core/cli.js`, "install", "--only-shell", "chromium"],
    {
      // The archive grows in TMPDIR: bytes that come in are progress, also where no percentage is printed.
      env: { ...place.env, TMPDIR: temp, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: "10000" },
      quietMs: DOWNLOAD_QUIET_MS,
      watch: [temp],
    },
  );
  rmSync(temp, { recursive: true, force: true });
  if (code === 0) return null;
  const reason = /(ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ENOSPC) ?(\S*)/.exec(output)?.[0];
  return ended === "quiet" ? `stood still for ${DOWNLOAD_QUIET_MS / 1000} s` : (reason ?? tail(output, 2));
}

/** Every browser on this machine, best first. @param {Place} place @returns {Promise<Found[]>} */
export async function candidates(place) {
  if (!place.node) return [];
  const { code, output } = await run(place.node, [`${place.project}/src/kit/find-browser.ts`], {
    env: { ...place.env, NODE_NO_WARNINGS: "1" },
    deadlineMs: 30_000,
  });
  return code === 0 ? JSON.parse(output) : [];
}

/** Whether it starts: a downloaded one may lack the system's libraries. @param {Found} found @param {Place} place */
async function starts(found, place) {
  const { code } = await run(found.executable, ["--version"], { env: { ...place.env, ...found.env }, deadlineMs: 20_000 });
  return code === 0;
}

/** The first one that starts is written down for src/kit/find-browser.ts. @param {Place} place @returns {Promise<Found | null>} */
async function settle(place) {
  for (const found of await candidates(place)) {
    if (!(await starts(found, place))) continue;
    try {
      mkdirSync(place.tools, { recursive: true });
      writeFileSync(`${place.tools}/browser.json`, JSON.stringify({ ...found, seal: seal(found.executable) }));
    } catch {
      // A folder that we may not write: looked for anew next time.
    }
    return found;
  }
  return null;
}

/** @param {Place} place @returns {Found | null} */
function settled(place) {
  try {
    const note = JSON.parse(readFileSync(`${place.tools}/browser.json`, "utf8"));
    return note.seal === seal(note.executable) ? note : null;
  } catch {
    return null;
  }
}

/** @param {Found} found */
function say(found) {
  return found.source === "npm"
    ? `${found.executable}. WARNING: a dated browser, a last resort for tests and first runs; never use it with real accounts`
    : found.executable;
}

const BY_HAND = `${aptCommand(DEBIAN_PACKAGES)}   (or name one: PODCREW_BROWSER=/path/to/chromium)`;

/** @type {import("../setup.mjs").Step} */
export const browserStep = {
  title: "browser",
  async look(place) {
    const setting = place.env["PODCREW_BROWSER"];
    if (setting)
      return isExecutable(setting)
        ? { ok: true, found: `${setting} (PODCREW_BROWSER)` }
        : { ok: false, missing: `PODCREW_BROWSER=${setting} is not an executable file`, mend: "correct PODCREW_BROWSER, or unset it" };
    if (place.env["BROWSER_WS"]) return { ok: true, found: "remote (BROWSER_WS)" };
    const found = settled(place) ?? (place.node ? await settle(place) : null);
    return found
      ? { ok: true, found: say(found) }
      : { ok: false, missing: "no Chromium that starts", mend: `node scripts/setup.mjs   (or: ${BY_HAND})` };
  },
  async bring(place) {
    if (place.env["PODCREW_BROWSER"])
      throw new Mendable(
        `PODCREW_BROWSER=${place.env["PODCREW_BROWSER"]} is not an executable file.`,
        "correct PODCREW_BROWSER, or unset it",
      );
    const obstacles = [];
    for (const [name, source] of sources) {
      const obstacle = await source(place);
      if (obstacle) {
        obstacles.push(`${name}: ${obstacle}`);
        continue;
      }
      const found = await settle(place);
      if (found) return [say(found), ...obstacles.map((one) => `        not by ${one}`)].join("\n");
      obstacles.push(`${name}: came, and does not start here`);
    }
    throw new Mendable(`No browser could be brought.\n        ${obstacles.join("\n        ")}`, BY_HAND);
  },
};

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
