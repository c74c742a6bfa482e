import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, globSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { takeOutCrashpoints } from "./build/crashpoints.ts";

/** The package: plain JavaScript and its types in dist/, because Node strips no types under node_modules. */
const project = fileURLToPath(new URL("..", import.meta.url));
const dist = join(project, "dist");
const started = Date.now();

rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [join(project, "node_modules/typescript/bin/tsc"), "--project", join(project, "scripts/tsconfig.build.json")],
  { stdio: ["ignore", 2, 2] },
);
if (status !== 0) process.exit(status ?? 1);

const taken = takeOutCrashpoints(dist);

/** Everything beside the code that the code reads at run time. */
const assets = globSync("{src,drivers}/**/*", { cwd: project, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.(ts|md)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name).slice(project.length));
for (const path of assets) {
  mkdirSync(dirname(join(dist, path)), { recursive: true });
  cpSync(join(project, path), join(dist, path));
}
chmodSync(join(dist, "src/cli/main.js"), 0o755);
process.stderr.write(
  `dist: built, ${assets.length} assets copied, ${taken} crash points taken out (${((Date.now() - started) / 1000).toFixed(1)} s)\n`,
);
