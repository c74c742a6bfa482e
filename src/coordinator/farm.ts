import { randomBytes } from "node:crypto";
import type { EventEmitter } from "node:events";
import { mkdir } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import type { Assignment, BrowserSettings, DriverCard } from "../contract/task.ts";
import { makeAccessToken } from "../kit/access-token.ts";
import { createAddressPolicy } from "../kit/addresses.ts";
import type { Clock } from "../kit/clock.ts";
import type { Config } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import { listen } from "../kit/server.ts";
import { openMediaPool, type MediaPool } from "../media/pool.ts";
import { preflightEpisode, prepareEpisode } from "../media/prepare.ts";
import type { PrepareOptions } from "../media/prepare-options.ts";
import { readFeed } from "../media/read-feed.ts";
import { sweepCache } from "../media/sweep.ts";
import { openQueue, type Queue } from "../store/queue.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../store/vault.ts";
import { createDiskProbe } from "./disk.ts";
import { DriverBook } from "./driver-book.ts";
import { Engine } from "./engine.ts";
import type { FarmEvents } from "./events.ts";
import { createFarmServer } from "./http.ts";
import { feedToImport } from "./imports.ts";
import { openLocalTasks } from "./local/local-tasks.ts";
import { migrations } from "./migrations.ts";
import type { PreparationRequest, Preflight, Prepare } from "./ports.ts";
import { makeScratch, removeScratch, sweepScratch } from "./scratch.ts";
import { findSite, type SitesMap } from "./sites.ts";
import type { Source } from "./source.ts";
import type { FarmStatus } from "./status.ts";
import { openWorkerPool } from "./worker-pool.ts";

export interface FarmOptions {
  config: Config;
  store: Store;
  vault: Vault;
  /** Absent: opened here and closed with the farm. */
  queue?: Queue;
  log: Log;
  clock: Clock;
  /** null: nothing is pulled. */
  source: Source | null;
  /** True: it also has accounts and tasks of its own, which its port takes (the Task API). */
  local?: boolean;
  /** `src/worker/entry.ts`, by address. */
  workerModule: URL;
  /** Module addresses of drivers, the user's own included. */
  driverModules: readonly string[];
  browser: BrowserSettings;
  sites: SitesMap;
  dataDir: string;
  listenOn: { host: string; port: number; setting: string };
  /** "rehearse" and "walk" stop before the irreversible step and report nothing. */
  mode?: Assignment["mode"];
}

export interface Farm {
  /** Origin of the farm's port. */
  readonly url: string;
  readonly cards: readonly DriverCard[];
  readonly events: EventEmitter<FarmEvents>;
  /** Takes up what a dead predecessor left, then pulls and posts. */
  start(): Promise<void>;
  /** Drains, reports, closes all that was opened. Twice does no harm. */
  stop(options?: { deadlineMs?: number }): Promise<void>;
  status(): FarmStatus;
  /** Resolves when everything pulled has ended and is reported. @throws DeadlineError */
  idle(options: { deadlineMs: number }): Promise<void>;
}

const STOP_MS = 30_000;
/** Contexts that share a browser before the next thread is opened. */
const TASKS_PER_THREAD = 4;
const MAX_CACHE_BYTES = 5 * 1024 ** 3;

/**
 * The farm: listens at once, works after `start()`.
 * @throws UsageError when the port is taken or a driver file can't be used
 */
export async function createFarm(options: FarmOptions): Promise<Farm> {
  const { config, store, vault, clock, dataDir } = options;
  const log = options.log.child({ part: "farm" });
  const undo: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed())
      await step().catch((error: unknown) => log.warn(`closing: ${(error as Error).message}`));
  };
  try {
    // Short: it is part of the paths of browsers' sockets, which the kernel limits.
    const scratchName = randomBytes(4).toString("hex");
    const instance = `${hostname()}-${process.pid}-${scratchName}`;
    await store.migrate("farm", migrations);
    const queue = options.queue ?? (await openQueue(store, log));
    if (!options.queue) undo.push(async () => queue.close());
    await sweepScratch(dataDir, scratchName, store.backend === "pglite", log);
    const tmpDir = await makeScratch(dataDir, scratchName);
    undo.push(async () => removeScratch(tmpDir));

    const threads = availableParallelism();
    const pool = openWorkerPool({
      workerModule: options.workerModule,
      maxThreads: threads,
      tasksPerThread: Math.max(TASKS_PER_THREAD, Math.ceil(config.concurrency / threads)),
      tmpDir,
    });
    undo.push(async () => pool.close());
    const drivers = await DriverBook.open({ modules: options.driverModules, folder: join(tmpDir, "drivers"), pool, log });
    const media = openMediaPool({ threads: Math.max(1, threads - 1), log, voiceCommand: config.voiceCommand });
    undo.push(async () => media.close());
    const cacheDir = join(dataDir, "cache");

    const local = options.local
      ? openLocalTasks({
          store,
          vault,
          clock,
          config,
          cards: () => drivers.cards,
          findSite: (domain) => findSite(domain, drivers.cards, options.sites),
          mediaDirs: config.mediaDirs,
          random: Math.random,
          runScript: async (card, script, config, count) =>
            (await pool.script?.((await drivers.fresh(card)).module, script, config, count)) ?? { problem: "there are no scripts here" },
        })
      : null;

    const engine = new Engine({
      store,
      vault,
      queue,
      clock,
      random: Math.random,
      log,
      sources: [...(options.source ? [options.source] : []), ...(local ? [local.source] : [])],
      pool,
      ...preparation(media, cacheDir, config),
      prepareParallel: Math.max(1, threads - 1),
      disk: createDiskProbe(tmpDir, clock),
      tidy: async () => void (await sweepCache(cacheDir, MAX_CACHE_BYTES, clock.now())),
      cards: drivers.cards,
      freshCard: async (card) => drivers.fresh(card),
      sites: options.sites,
      instance,
      concurrency: config.concurrency,
      pollMs: config.pollSeconds * 1000,
      leaseMs: config.leaseSeconds * 1000,
      work: {
        browser: options.browser,
        imap: config.imapHost ? { host: config.imapHost, port: config.imapPort, tls: true, caFile: config.imapCaFile ?? null } : null,
        imapServers: config.imapServers,
        locale: config.locale,
        timeZone: config.timeZone,
        stepTimeoutMs: config.stepSeconds * 1000,
        settleMs: config.settleSeconds === undefined ? null : config.settleSeconds * 1000,
        repost: config.repost,
        mode: options.mode ?? "post",
        evidenceDir: join(dataDir, "evidence"),
      },
    });
    const { taskToken, taskPlan: plan, concurrency } = config;
    let url = "";
    const server = createFarmServer({
      engine,
      log,
      allowedHosts: config.allowedHosts,
      token: await makeAccessToken(dataDir),
      ...(local && { tasks: { ...local, plan, taskToken, concurrency, now: () => clock.now(), url: () => url } }),
    });
    const listening = await listen(server, options.listenOn);
    url = listening.url;
    undo.push(async () => listening.close());

    let stopping: Promise<void> | null = null;
    const stop = async (deadlineMs: number): Promise<void> => {
      try {
        await engine.stop(deadlineMs);
      } finally {
        await close();
      }
    };
    return {
      url: listening.url,
      get cards() {
        return drivers.cards;
      },
      events: engine.events,
      start: async () => engine.start(),
      stop: async ({ deadlineMs = STOP_MS } = {}) => (stopping ??= stop(deadlineMs)),
      status: () => engine.status(),
      idle: async ({ deadlineMs }) => engine.idle(deadlineMs),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** From the first request to the last byte. */
const FEED_MS = 60_000;

function preparation(pool: MediaPool, cacheDir: string, config: Config): { prepare: Prepare; preflight: Preflight } {
  const policy = createAddressPolicy(config.allowPrivate);
  const optionsOf = ({ limits, marker, onProgress, signal }: PreparationRequest): PrepareOptions => ({
    limits,
    marker,
    cacheDir,
    pool,
    policy,
    mediaDirs: config.mediaDirs,
    deadlines: { imageMs: config.imageSeconds * 1000 },
    signal,
    onProgress: (share, what) => onProgress(`${what}, ${Math.round(share * 100)} %`),
  });
  return {
    async prepare(request) {
      const { kind, episode, marker, signal } = request;
      if (kind === "import") {
        await mkdir(cacheDir, { recursive: true });
        const feed = await readFeed(episode.id, { policy, deadlineMs: FEED_MS, signal, folder: cacheDir });
        return { prepared: feedToImport(episode.id, feed, marker), fixes: [] };
      }
      const { prepared, fixes } = await prepareEpisode(episode, optionsOf(request));
      return { prepared, fixes: fixes.map(({ say }) => say) };
    },
    preflight: async (request) => preflightEpisode(request.episode, optionsOf(request)),
  };
}
