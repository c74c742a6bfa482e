import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { DriverCard } from "../contract/task.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { table } from "./table.ts";

/** Folder of the drivers that come with the package: beside `src`, in the repository and in the built package alike. */
const own = fileURLToPath(new URL("../../drivers/", import.meta.url));

function driverFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(ts|mts|js|mjs)$/.test(name) && !/\.(d|test)\.[a-z]+$/.test(name))
    .sort()
    .map((name) => pathToFileURL(join(folder, name)).href);
}

/** Module addresses of all drivers, the user's own last. @throws UsageError when DRIVERS is not a folder */
export function driverModules(config: Config): string[] {
  const modules = driverFiles(own);
  if (!config.drivers) return modules;
  try {
    return [...modules, ...driverFiles(resolve(config.drivers))];
  } catch (error) {
    throw new UsageError(
      `DRIVERS=${config.drivers} can't be read (${(error as NodeJS.ErrnoException).code}). Name a folder with your driver files.`,
    );
  }
}

/** Prints every driver, and what is wrong with those that can't be used. @returns 1 when there is one of these */
export async function listDrivers(config: Config): Promise<number> {
  const { Piscina } = await import("piscina");
  const worker = new Piscina({
    filename: new URL(import.meta.url.endsWith(".ts") ? "../worker/entry.ts" : "../worker/entry.js", import.meta.url).href,
    maxThreads: 1,
  });
  try {
    const { cards, problems } = (await worker.run({ modules: driverModules(config) }, { name: "describe" })) as {
      cards: DriverCard[];
      problems: { module: string; message: string }[];
    };
    const rows = cards.map((card) => [card.site, card.hosts.join(", ") || "by SITES", card.tier, card.post, fileURLToPath(card.module)]);
    process.stdout.write(`${table([["SITE", "HOSTS", "TIER", "POSTS BY", "FILE"], ...rows])}\n`);
    for (const { module, message } of problems) process.stderr.write(`${fileURLToPath(module)}: ${message}\n`);
    return problems.length > 0 ? 1 : 0;
  } finally {
    await worker.destroy();
  }
}
