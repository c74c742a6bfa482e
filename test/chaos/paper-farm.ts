import { enableCompileCache } from "node:module";
import type { FarmOrder, FromFarm, MemoryUse, ToFarm } from "./support/farm-messages.ts";
import { noBrowser } from "../support/no-browser.ts";

/**
 * The process of a farm without a browser: the real farm on the real store, with paper workers. It loads everything, says so,
 * and starts when it is told to. Its parent's death ends it.
 */
enableCompileCache();
const [
  { createFarm },
  { createManagerSource },
  { systemClock },
  { loadConfig },
  { createLog },
  { openStore },
  { openVault },
  { openQueue },
  { fleetName },
  { robbing },
] = await Promise.all([
  import("../../src/coordinator/farm.ts"),
  import("../../src/coordinator/manager-source.ts"),
  import("../../src/kit/clock.ts"),
  import("../../src/kit/config.ts"),
  import("../../src/kit/log.ts"),
  import("../../src/store/store.ts"),
  import("../../src/store/vault.ts"),
  import("../../src/store/queue.ts"),
  import("../../src/coordinator/fleet-name.ts"),
  import("./support/robbing-queue.ts"),
]);

type Farm = Awaited<ReturnType<typeof createFarm>>;

function tell(message: FromFarm): void {
  process.send?.(message);
}

let farm: Farm | null = null;
let closeStore: () => Promise<void> = async () => undefined;

async function start(order: FarmOrder): Promise<void> {
  const config = await loadConfig(
    { data: order.dataDir, databaseUrl: order.databaseUrl ?? undefined, key: order.key ?? undefined, ...order.settings },
    {},
    order.dataDir,
  );
  const log = createLog({ level: config.logLevel, format: "json" });
  const vault = openVault({ key: config.key, keyFile: undefined, dataDir: config.data, embedded: !config.databaseUrl });
  const store = await openStore({ dataDir: config.data, databaseUrl: config.databaseUrl, log });
  const queue = order.robs === undefined ? undefined : robbing(await openQueue(store, log), order.robs);
  closeStore = async () => {
    await queue?.close();
    await store.close();
  };
  farm = await createFarm({
    config,
    store,
    vault,
    ...(queue && { queue }),
    log,
    clock: systemClock,
    source: createManagerSource({
      url: order.managerUrl,
      apiKey: order.apiKey,
      workerId: await fleetName(store, order.workerId),
      ...(order.managerDeadlineMs !== undefined && { deadlineMs: order.managerDeadlineMs }),
    }),
    workerModule: new URL("paper-worker.ts", import.meta.url),
    driverModules: [],
    browser: noBrowser,
    sites: order.sites,
    dataDir: config.data,
    listenOn: { host: "127.0.0.1", port: 0, setting: "TASK_PORT" },
  });
  await farm.start();
  tell({ kind: "started" });
}

async function stop(deadlineMs: number): Promise<void> {
  await farm?.stop({ deadlineMs });
  await closeStore();
  tell({ kind: "stopped" });
  process.disconnect();
}

/** Its status over its own port, as `podcrew status` asks for it. */
async function status(): Promise<void> {
  if (!farm) throw new Error("the farm has not started");
  const answer = await fetch(`${farm.url}/api/v1/farm/status`, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`its status answers ${answer.status}`);
  const { data } = (await answer.json()) as { data: ReturnType<Farm["status"]> };
  tell({ kind: "status", status: data });
}

async function memory(): Promise<MemoryUse> {
  const { gc } = globalThis;
  if (!gc) throw new Error("started without --expose-gc");
  // What is told of the first collection lets go of the rest.
  for (let round = 0; round < 3; round += 1) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, rss };
}

const failed = (error: unknown): void =>
  tell({ kind: "failed", why: error instanceof Error ? (error.stack ?? error.message) : String(error) });

process.on("message", (message: ToFarm) => {
  switch (message.kind) {
    case "go":
      void start(message.order).catch(failed);
      break;
    case "status":
      void status().catch(failed);
      break;
    case "memory":
      void memory().then((use) => tell({ kind: "memory", use }), failed);
      break;
    case "stop":
      void stop(message.deadlineMs).catch(failed);
  }
});
process.once("disconnect", () => {
  if (!process.exitCode) setImmediate(() => process.exit());
});
tell({ kind: "warm" });
