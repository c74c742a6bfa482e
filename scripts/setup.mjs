#!/usr/bin/env node
// @ts-check
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { browserStep } from "./setup/browser.mjs";
import { withLock } from "./setup/lock.mjs";
import { nodeStep } from "./setup/node.mjs";
import { packagesStep } from "./setup/packages.mjs";
import { createSay } from "./setup/say.mjs";
import { testToolsStep } from "./setup/test-tools.mjs";

/**
 * Brings what this project needs and the machine lacks: Node 24, the npm packages, a browser. Plain JavaScript without
 * dependencies, because it is the one thing that runs on whatever Node is there (>= 20). Every step looks at what is
 * really there, not at what a former run wrote down, so an interrupted set-up is mended by the next one.
 *
 *     node scripts/setup.mjs [--tests] [--no-install]
 *
 * @typedef {object} Place
 * @property {string} project the project's folder
 * @property {string} tools `.node` in it: everything that set-up brings and npm does not own
 * @property {NodeJS.ProcessEnv} env
 * @property {string} node the Node >= 24 found or brought; filled by the first step
 *
 * @typedef {{ ok: true, found: string } | { ok: false, missing: string, mend: string }} Seen
 *
 * @typedef {object} Step
 * @property {string} title
 * @property {(place: Place) => Promise<Seen>} look
 * @property {(place: Place) => Promise<string>} bring says what it brought; throws a Mendable
 * @property {boolean} [optional] its lack is told and does not stop
 *
 * @param {{ project?: string, tests?: boolean, install?: boolean, env?: NodeJS.ProcessEnv, say?: import("./setup/say.mjs").Say }} [options]
 * @returns {Promise<{ complete: boolean, node: string, brought: number }>} `complete` is false where something needed is missing
 */
export async function setUp(options = {}) {
  const project = options.project ?? fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
  const env = options.env ?? process.env;
  const say = options.say ?? createSay(process.stderr);
  const place = { project, tools: `${project}/.node`, env, node: "" };
  const steps = [nodeStep, packagesStep, browserStep, ...(options.tests ? [testToolsStep] : [])];
  let complete = true;
  let brought = 0;
  for (const step of steps) {
    const seen = await step.look(place);
    if (seen.ok) {
      if (options.install === false) say.found(step.title, seen.found);
    } else if (options.install === false) {
      complete = false;
      say.missing(step.title, seen.missing, seen.mend);
    } else {
      brought += 1;
      // A step builds on the ones before it: the first failure of a needed one ends the set-up.
      if (!(await bring(step, place, say)) && !step.optional) return { complete: false, node: place.node, brought };
    }
  }
  return { complete, node: place.node, brought };
}

/** @param {Step} step @param {Place} place @param {import("./setup/say.mjs").Say} say */
async function bring(step, place, say) {
  const done = say.begin(step.title);
  try {
    const what = await withLock(place.tools, async () => {
      // Another set-up may have brought it while we waited for the lock.
      const again = await step.look(place);
      return again.ok ? again.found : step.bring(place);
    });
    done.well(what);
    return true;
  } catch (error) {
    const { message, mend } = /** @type {Error & { mend?: string }} */ (error);
    done.badly(message, mend ?? "node scripts/setup.mjs");
    return false;
  }
}

async function main() {
  const flags = new Set(process.argv.slice(2));
  const unknown = [...flags].filter((flag) => !["--tests", "--no-install"].includes(flag));
  if (unknown.length > 0) {
    process.stderr.write(`${unknown.join(" ")}: unknown. Usage: node scripts/setup.mjs [--tests] [--no-install]\n`);
    return 2;
  }
  const started = Date.now();
  const { complete, brought } = await setUp({ tests: flags.has("--tests"), install: !flags.has("--no-install") });
  if (complete && brought === 0) process.stderr.write(`set-up: all there (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
  return complete ? 0 : 1;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) process.exitCode = await main();
