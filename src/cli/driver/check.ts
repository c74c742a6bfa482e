import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { readAccountFile } from "../../driver/bench-target.ts";
import { UsageError, type Config } from "../../kit/config.ts";
import { podcrewCommand, shownPath } from "./names.ts";

export interface CheckOptions {
  url: string | undefined;
  /** Path of a JSON file. */
  account: string | undefined;
}

const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
const beside = (path: string): string => new URL(`${path}${ending}`, import.meta.url).href;

/**
 * Runs the bench: the driver's own test where it has one, which may start a twin; else the bench by itself, at `--url`.
 * @returns 0 when all promises are kept, else 1  @throws UsageError
 */
export async function checkDriver(config: Config, given: string, { url, account }: CheckOptions): Promise<number> {
  const file = resolve(given);
  if (!existsSync(file)) throw new UsageError(`There is no file ${given}.`);
  if (url !== undefined && (!URL.canParse(url) || !/^https?:/.test(url)))
    throw new UsageError(`--url ${url} is no address (for example --url https://studio.example.com).`);
  if (account !== undefined) await readAccountFile(account);
  const test = ownTest(file, url !== undefined);
  if (!test && !url)
    throw new UsageError(
      `There is no test beside ${given} that starts a twin of the site, so say where to try it: ${podcrewCommand()} driver check ${given} --url https://… --account account.json`,
    );
  const evidence = join(config.data, "evidence", "driver-check");
  const args = [
    "--import",
    beside("../../worker/load-driver"),
    "--test-reporter",
    beside("./check-reporter"),
    "--test-reporter-destination",
    "stdout",
    test ?? fileURLToPath(beside("./check-entry")),
  ];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      DRIVER_FILE: file,
      DRIVER_EVIDENCE: evidence,
      ...(url && { DRIVER_URL: url }),
      ...(account && { DRIVER_ACCOUNT: resolve(account) }),
      ...(config.browser && { PODCREW_BROWSER: config.browser }),
      // The reporter writes to a pipe's end of ours: colours are decided here.
      ...(process.stdout.isTTY && { FORCE_COLOR: "1" }),
    },
  });
  process.stdout.write(test ? `${shownPath(test)}\n` : `${shownPath(file)} at ${url}\n`);
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, pass);
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0 ? 0 : 1;
}

/** The driver's test: beside it, or in `test/drivers` of the project that it belongs to. With a URL only one that reads it. */
function ownTest(file: string, withUrl: boolean): string | null {
  const [folder, name] = [dirname(file), file.replace(/^.*[\\/]|\.[a-z]+$/g, "")];
  const folders = [folder, join(folder, "../test/drivers")];
  const found = folders
    .flatMap((where) => ["test.ts", "slow.test.ts", "test.js"].map((tail) => join(where, `${name}.${tail}`)))
    .find((path) => existsSync(path));
  if (!found) return null;
  const text = readFileSync(found, "utf8");
  const readsUrl = /targetFromEnvironment|DRIVER_URL/.test(text);
  return withUrl === readsUrl || process.env["DRIVER_URL"] ? found : null;
}
