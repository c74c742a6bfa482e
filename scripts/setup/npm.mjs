// @ts-check
import { dirname } from "node:path";
import { run, tail } from "./run.mjs";
import { Mendable } from "./say.mjs";

/** Quick to give up: npm's own patience with an unreachable registry is minutes. */
const quickly = [
  "--no-audit",
  "--no-fund",
  "--no-json",
  "--loglevel=error",
  "--ignore-scripts",
  "--no-update-notifier",
  "--prefer-offline",
  "--fetch-retries=2",
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=5000",
];

/** What npm's output means, and what mends it. */
const meanings = /** @type {const} */ ([
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ECONNRESET|network (request|timeout)|ENOTCACHED/,
    "The npm registry can't be reached.",
    "connect this machine to the network (behind a proxy: npm config set proxy http://proxy:3128), then node scripts/setup.mjs",
  ],
  [/ENOSPC/, "The disk is full.", "free about 1 GB, then node scripts/setup.mjs"],
  [/EACCES|EPERM|EROFS/, "The folder can't be written by this user.", 'sudo chown -R "$USER" . && node scripts/setup.mjs'],
  [
    /CERT|certificate/i,
    "The npm registry's certificate is not trusted here.",
    "NODE_EXTRA_CA_CERTS=/path/to/your-ca.pem node scripts/setup.mjs",
  ],
  [
    /EUSAGE|can only install packages when your package.json and package-lock.json/,
    "package.json and package-lock.json disagree.",
    "npm install",
  ],
]);

/**
 * npm, by the Node that the project runs on where it is there already.
 *
 * @param {import("../setup.mjs").Place} place
 * @param {string[]} args
 */
export async function npm(place, args) {
  const env = { ...withNodeFirst(place.env, place.node) };
  // A set-up started by `npm start` inherits that npm's own configuration; --prefix must win over its folder.
  for (const name of Object.keys(env)) if (/^npm_config_(local_prefix|json|loglevel|prefix)$/i.test(name)) delete env[name];
  // What runs inside npm knows the very npm by its path, also where none is on PATH.
  const [command, first] = place.env.npm_execpath?.endsWith("npm-cli.js")
    ? [place.node || process.execPath, [place.env.npm_execpath]]
    : ["npm", []];
  const { code, output, ended } = await run(command, [...first, ...args, ...quickly], { cwd: place.project, env, deadlineMs: 15 * 60_000 });
  if (code === 0) return;
  if (ended === "unstartable")
    throw new Mendable("npm is not on PATH.", "install it together with Node 24: https://nodejs.org/en/download");
  if (ended === "deadline") throw new Mendable("npm did not end within 15 minutes.", "node scripts/setup.mjs");
  const [, why, mend] = meanings.find(([pattern]) => pattern.test(output)) ?? [null, "npm failed.", `npm ${args.join(" ")}`];
  throw new Mendable(`${why}\n        ${tail(output)}`, mend);
}

/** @param {NodeJS.ProcessEnv} env @param {string} node */
export function withNodeFirst(env, node) {
  return node ? { ...env, PATH: `${dirname(node)}:${env["PATH"] ?? ""}` } : env;
}
