import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./server-process.ts";

/**
 * Software that somebody else wrote, from Debian's packages, to sign in to and to publish on. Each has a folder here, with a
 * `site.ts` that exports `site` and its tests as `*.slow.test.ts`; `npm run test:sites` finds both.
 */
export interface RealSite<Running extends RunningSite = RunningSite> {
  /** Its folder's name. */
  name: string;
  /** Debian packages that it is made of. */
  packages: readonly string[];
  /** Its tests assert times, so that nothing else runs meanwhile. */
  measures?: boolean;
  /** Installs into an empty folder and leaves nothing running. What it makes is kept and copied: no path and no port in it may matter. */
  install(folder: string): Promise<void>;
  /** Starts what was installed, in a folder of its own, on a free loopback port. */
  start(folder: string, port: number): Promise<Running>;
}

export interface RunningSite {
  /** e.g. "http://127.0.0.1:43210" */
  origin: string;
  /** Ends every process that it started. */
  close(): Promise<void>;
}

const cache = fileURLToPath(new URL("../../../.podcrew-sites/", import.meta.url));

/** Debian packages of these that are not installed. */
export function missingPackages(packages: readonly string[]): string[] {
  return packages.filter((name) => versionOf(name) === null);
}

/** By name; two that are opened together share one. */
const installations = new Map<string, Promise<string>>();

/** A site as it is right after its installation, in a folder that is gone after `close`. The installation itself is done once and kept. */
export async function openRealSite<Running extends RunningSite>(site: RealSite<Running>): Promise<Running> {
  if (!installations.has(site.name)) installations.set(site.name, installedOnce(site));
  const installed = await installations.get(site.name)!;
  const folder = await mkdtemp(join(tmpdir(), `podcrew-${site.name}-`));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  try {
    await cp(installed, folder, { recursive: true, verbatimSymlinks: true });
    const running = await site.start(folder, await freePort());
    const close = async (): Promise<void> => {
      await running.close();
      await remove();
    };
    return { ...running, close };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** @returns the folder of an installation by these very packages and this very code */
async function installedOnce(site: RealSite): Promise<string> {
  const target = join(cache, `${site.name}-${fingerprint(site)}`);
  if (existsSync(target)) return target;
  for (const older of globSync(`${site.name}-*`, { cwd: cache })) await rm(join(cache, older), { recursive: true, force: true });
  // Made where paths are short: a socket's must not have more than a hundred characters.
  const fresh = await mkdtemp(join(tmpdir(), `podcrew-${site.name}-`));
  const half = join(cache, `half-${site.name}-${process.pid}`);
  try {
    await site.install(fresh);
    await mkdir(cache, { recursive: true });
    await cp(fresh, half, { recursive: true, verbatimSymlinks: true });
    await rename(half, target);
  } finally {
    for (const left of [fresh, half]) await rm(left, { recursive: true, force: true });
  }
  return target;
}

function fingerprint({ name, packages }: RealSite): string {
  const hash = createHash("sha256");
  for (const one of packages) hash.update(`${one} ${versionOf(one)}\n`);
  const folder = fileURLToPath(new URL(`${name}/`, import.meta.url));
  for (const file of globSync("*", { cwd: folder }).sort()) if (!file.endsWith(".test.ts")) hash.update(readFileSync(join(folder, file)));
  return hash.digest("hex").slice(0, 12);
}

/** @returns null where it is not installed, or only half */
function versionOf(name: string): string | null {
  try {
    const said = execFileSync("/usr/bin/dpkg-query", ["-W", "-f=${Status} ${Version}", name], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return /^install ok installed (.+)$/.exec(said)?.[1] ?? null;
  } catch {
    return null;
  }
}
