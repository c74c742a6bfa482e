import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createFarm, type Farm } from "../coordinator/farm.ts";
import { fleetName } from "../coordinator/fleet-name.ts";
import { createManagerSource } from "../coordinator/manager-source.ts";
import type { SitesMap } from "../coordinator/sites.ts";
import type { Source } from "../coordinator/source.ts";
import { systemClock, type Clock } from "../kit/clock.ts";
import { UsageError, type Config } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import { openManager, type Manager } from "../manager/manager.ts";
import { checkVault } from "../store/check-vault.ts";
import { openStore, type Store } from "../store/store.ts";
import { openVault, type Vault } from "../store/vault.ts";
import { openStudio, type Studio } from "../studio/studio.ts";
import { requireBrowser } from "./browser.ts";
import { driverModules } from "./drivers.ts";
import type { Stage } from "./stages.ts";
import { workerId } from "./worker-id.ts";

/** What runs in this process; each stage fills in its own. */
export interface Parts {
  store?: Store;
  vault?: Vault;
  manager?: Manager;
  studio?: Studio;
  farm?: Farm;
}

/** A part drains for 30 s; what stands longer is cut. */
const DRAIN_MS = 30_000;
const STUDIO_DRIVER = "podcrew-studio";

export function storeStage(config: Config, log: Log, parts: Parts): Stage {
  return {
    title: config.databaseUrl ? "the database" : "the embedded database",
    async start() {
      await mkdir(config.data, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(
          `The data folder ${config.data} can't be made (${error.code}). Repair the permissions, or choose another one: PODCREW_DATA=./other`,
        );
      });
      const vault = openVault({ key: config.key, keyFile: config.keyFile, dataDir: config.data, embedded: !config.databaseUrl });
      const store = await openStore({ dataDir: config.data, databaseUrl: config.databaseUrl, log });
      try {
        await checkVault(store, vault);
      } catch (error) {
        await store.close();
        throw error;
      }
      Object.assign(parts, { store, vault });
      return async () => store.close();
    },
  };
}

/** The stages of a part run after the store's. */
function opened(parts: Parts): { store: Store; vault: Vault } {
  if (!parts.store || !parts.vault) throw new Error("the store is not open");
  return { store: parts.store, vault: parts.vault };
}

/** @param clock another than the system's, for what has to see hours pass */
export function managerStage(config: Config, log: Log, parts: Parts, clock: Clock = systemClock): Stage {
  return {
    title: "the manager",
    async start() {
      const manager = await openManager({
        ...opened(parts),
        log,
        clock,
        dataDir: config.data,
        config: {
          host: config.host,
          port: config.managerPort,
          allowedHosts: config.allowedHosts,
          publicUrl: config.publicManagerUrl,
          reveal: config.reveal,
          trustedProxies: config.trustedProxies,
        },
      });
      parts.manager = manager;
      return async () => manager.close();
    },
  };
}

export function studioStage(config: Config, log: Log, parts: Parts): Stage {
  return {
    title: "the studio",
    async start() {
      const studio = await openStudio({
        ...opened(parts),
        log,
        config: {
          host: config.host,
          port: config.studioPort,
          allowedHosts: config.allowedHosts,
          publicUrl: config.publicStudioUrl,
          dataDir: config.data,
          smtpUrl: config.smtpUrl,
          mailFrom: config.mailFrom,
          mediaStore: config.mediaStore,
          mediaStoreKeyId: config.mediaStoreKeyId,
          mediaStoreSecret: config.mediaStoreSecret,
          timeZone: config.timeZone,
          allowPrivate: config.allowPrivate,
        },
      });
      parts.studio = studio;
      return async () => studio.close();
    },
  };
}

export interface FarmStageOptions {
  /** Absent: the manager, embedded or at MANAGER_URL. */
  source?: () => Source;
  /** No manager: only tasks of its own. */
  alone?: boolean;
  /** Hosts whose files may be fetched besides ALLOW_PRIVATE: the demo's own. */
  allowPrivate?: () => string[];
  mode?: "post" | "rehearse" | "walk";
  slowMoMs?: number;
}

export function farmStage(config: Config, log: Log, parts: Parts, options: FarmStageOptions = {}): Stage {
  return {
    title: "the farm",
    stopWithinMs: DRAIN_MS + 15_000,
    async start() {
      const source = options.source?.() ?? (options.alone ? null : await managerSource(config, parts));
      const farm = await createFarm({
        ...opened(parts),
        config: { ...config, allowPrivate: [...config.allowPrivate, ...(options.allowPrivate?.() ?? [])] },
        log,
        clock: systemClock,
        source,
        // A farm that was given its tasks does those and no others.
        local: options.source === undefined,
        workerModule: new URL(import.meta.url.endsWith(".ts") ? "../worker/entry.ts" : "../worker/entry.js", import.meta.url),
        driverModules: driverModules(config),
        browser: await requireBrowser(config, options.slowMoMs),
        sites: sitesMap(config, parts),
        dataDir: config.data,
        listenOn: { host: config.host, port: config.taskPort, setting: "TASK_PORT" },
        ...(options.mode && { mode: options.mode }),
      });
      parts.farm = farm;
      return async () => farm.stop({ deadlineMs: DRAIN_MS });
    },
  };
}

/** The embedded studio is a site like any other; only its host is known here. */
function sitesMap(config: Config, parts: Parts): SitesMap {
  const urls = [config.publicStudioUrl, parts.studio?.url].filter((url) => url !== undefined);
  return {
    ...Object.fromEntries(urls.map((url) => [new URL(url).host, { driver: STUDIO_DRIVER, origin: parts.studio?.url ?? url }])),
    ...config.sites,
  };
}

/** Where the farm pulls from: MANAGER_URL wins over the embedded manager. @throws UsageError when there is neither, or no key */
async function managerSource(config: Config, parts: Parts): Promise<Source> {
  const url = config.managerUrl ?? parts.manager?.url;
  if (!url)
    throw new UsageError(
      "The farm does not know where to pull tasks from. Set MANAGER_URL (for example MANAGER_URL=https://manager.example.com) and API_KEY, run `podcrew up`, which brings a manager, or `podcrew farm --local` for tasks of the farm's own only.",
    );
  const apiKey = config.managerUrl ? config.apiKey : (config.apiKey ?? (await firstKey(config)));
  if (!apiKey)
    throw new UsageError(`The farm has no key for ${url}. Set API_KEY to one that the manager made (\`podcrew key create NAME\`).`);
  const source = createManagerSource({ url, apiKey, workerId: config.workerId ?? (await nameOf(config, parts)) });
  await greet(source, url);
  return source;
}

async function nameOf(config: Config, { store }: Parts): Promise<string> {
  const proposed = await workerId(config.data);
  return store ? fleetName(store, proposed) : proposed;
}

const NOBODYS_TASK = "00000000-0000-4000-8000-000000000000";

/** A wrong address or key is said at the start; a manager that goes away later is waited for. @throws UsageError */
async function greet(source: Source, url: string): Promise<void> {
  const answer = await source.read(NOBODYS_TASK);
  if (answer.kind !== "again") return;
  if (/\b40[13]\b/.test(answer.why))
    throw new UsageError(
      `The manager at ${url} refuses API_KEY: ${answer.why}. Make a new key there (\`podcrew key create NAME\`) and set it as API_KEY.`,
    );
  throw new UsageError(`The manager at ${url} can't be used: ${answer.why}. Check MANAGER_URL and that it runs.`);
}

/** The key that the embedded manager wrote at its first start. */
export async function firstKey(config: Config): Promise<string | undefined> {
  try {
    const { apiKey } = JSON.parse(await readFile(join(config.data, "manager.json"), "utf8")) as { apiKey?: string };
    return apiKey;
  } catch {
    return undefined;
  }
}
