// @ts-check
import { existsSync, readdirSync } from "node:fs";
import { candidates } from "./browser.mjs";
import { aptCommand, aptInstall, debianRefusal } from "./debian.mjs";
import { Mendable } from "./say.mjs";

/**
 * Real programs that tests run against. Where one is missing its tests skip loudly.
 * @type {{ name: string, packages: string[], there: (place: import("../setup.mjs").Place) => Promise<boolean> | boolean }[]}
 */
const tools = [
  {
    name: "PostgreSQL",
    packages: ["postgresql"],
    there: ({ env }) =>
      folders("/usr/lib/postgresql").some((version) => existsSync(`/usr/lib/postgresql/${version}/bin/initdb`)) || onPath(env, "initdb"),
  },
  {
    name: "Dovecot",
    packages: ["dovecot-imapd", "dovecot-lmtpd"],
    there: () => existsSync("/usr/sbin/dovecot") && existsSync("/usr/lib/dovecot/lmtp") && existsSync("/usr/lib/dovecot/imap"),
  },
  { name: "Xvfb", packages: ["xvfb", "xauth"], there: ({ env }) => onPath(env, "Xvfb") && onPath(env, "xauth") },
  {
    name: "a full Chromium",
    packages: ["chromium", "chromium-sandbox"],
    there: async (place) =>
      (await candidates({ ...place, env: { ...place.env, PODCREW_BROWSER: "" } })).some((found) => found.kind === "full"),
  },
];

/** @param {string} folder */
function folders(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** @param {NodeJS.ProcessEnv} env @param {string} name */
function onPath(env, name) {
  return (env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/${name}`));
}

/** @param {import("../setup.mjs").Place} place */
async function missing(place) {
  const there = await Promise.all(tools.map(async (tool) => tool.there(place)));
  return tools.filter((_, index) => !there[index]);
}

/** @type {import("../setup.mjs").Step} */
export const testToolsStep = {
  title: "what tests run against",
  optional: true,
  async look(place) {
    const lacks = await missing(place);
    if (lacks.length === 0) return { ok: true, found: tools.map((tool) => tool.name).join(", ") };
    return { ok: false, missing: lacks.map((tool) => tool.name).join(", "), mend: aptCommand(lacks.flatMap((tool) => tool.packages)) };
  },
  async bring(place) {
    const lacks = await missing(place);
    const packages = lacks.flatMap((tool) => tool.packages);
    const names = lacks.map((tool) => tool.name).join(", ");
    const obstacle = debianRefusal() ?? (await aptInstall(packages, place.env));
    if (obstacle) throw new Mendable(`Tests that need ${names} will be skipped (${obstacle}).`, aptCommand(packages));
    return names;
  },
};
