import { browserSettings } from "../../../src/cli/browser.ts";
import type { World } from "../../../src/cli/chaos/world.ts";
import { driverModules } from "../../../src/cli/drivers.ts";
import { createFarm, type Farm } from "../../../src/coordinator/farm.ts";
import { createManagerSource } from "../../../src/coordinator/manager-source.ts";
import { loadConfig } from "../../../src/kit/config.ts";
import { createLog } from "../../../src/kit/log.ts";
import { openStore } from "../../../src/store/store.ts";
import { openVault } from "../../../src/store/vault.ts";
import type { ChaosContext } from "../support/scenario.ts";
import type { JumpClock } from "./jump-clock.ts";

/** A farm with a real browser in this process, on a clock that can be set forward while nothing runs. */
export interface OwnFarm {
  farm: Farm;
  /** Time passes: for the farm, its queue and whoever shares the clock. Only while nothing runs: a real browser lives in real time. */
  jump(ms: number): Promise<void>;
}

export interface OwnFarmOptions {
  clock: JumpClock;
  /** How the farm gets to the studio: hosts of tasks, each served at its own address. */
  studioUrls: readonly string[];
  /** Settings by name. */
  settings?: Record<string, unknown>;
  name?: string;
  managerDeadlineMs?: number;
  managerUrl?: string;
}

export async function ownFarm(context: ChaosContext, world: World, options: OwnFarmOptions): Promise<OwnFarm> {
  const dataDir = await world.farmFolder(options.name);
  const config = await loadConfig(
    { data: dataDir, pollSeconds: 0.3, mediaDirs: [world.mediaDir], ...options.settings },
    { PODCREW_BROWSER: process.env["PODCREW_BROWSER"] },
    dataDir,
  );
  const log = createLog({ level: process.env["CHAOS_LOG"] ? "debug" : "silent", format: "json" });
  const store = await openStore({ dataDir, log });
  context.after(async () => store.close());
  const farm = await createFarm({
    config,
    store,
    vault: openVault({ dataDir, embedded: true }),
    log,
    clock: options.clock,
    source: createManagerSource({
      url: options.managerUrl ?? world.manager.url,
      apiKey: world.apiKey,
      workerId: options.name ?? "farm",
      ...(options.managerDeadlineMs && { deadlineMs: options.managerDeadlineMs }),
    }),
    workerModule: new URL("../../../src/worker/entry.ts", import.meta.url),
    driverModules: driverModules(config),
    browser: await browserSettings(config),
    sites: Object.fromEntries(options.studioUrls.map((url) => [new URL(url).host, { driver: "podcrew-studio", origin: url }])),
    dataDir,
    listenOn: { host: "127.0.0.1", port: 0, setting: "TASK_PORT" },
  });
  context.after(async () => farm.stop({ deadlineMs: 10_000 }));
  return {
    farm,
    async jump(ms) {
      if (farm.status().running.length > 0) throw new Error("time can't be set forward while a browser is at work");
      // The queue lives by the database's clock.
      await store.raw(
        `update farm_queue.job set start_after = start_after - interval '${Math.round(ms)} milliseconds' where state < 'active'`,
      );
      options.clock.jump(ms);
    },
  };
}
