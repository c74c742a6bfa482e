import { join } from "node:path";
import type { TestContext } from "node:test";
import { Engine, type EngineOptions } from "../../src/coordinator/engine.ts";
import { createManagerSource } from "../../src/coordinator/manager-source.ts";
import { migrations } from "../../src/coordinator/migrations.ts";
import type { Prepare } from "../../src/coordinator/ports.ts";
import type { Queue } from "../../src/store/queue.ts";
import type { Store } from "../../src/store/store.ts";
import { openVault, type Vault } from "../../src/store/vault.ts";
import { memoryQueue } from "./memory-queue.ts";
import { demoKey, scriptedManager, type ScriptedManager } from "./scripted-manager.ts";
import { card, scriptedPool, ScriptedSite, type Script, type ScriptedPool } from "./scripted-worker.ts";
import { silentLog } from "./store.ts";
import { tempDir } from "./temp.ts";
import { virtualClock, type VirtualClock } from "./virtual-clock.ts";
import { noBrowser } from "./no-browser.ts";

export interface World {
  clock: VirtualClock;
  manager: ScriptedManager;
  site: ScriptedSite;
  queue: Queue;
  /** Of all its farms. */
  vault: Vault;
  /** Starts a farm; several may live on the one store. `crash()` is a kill -9: nothing of it acts any more. */
  farm(given?: {
    script?: Script;
    over?: Partial<EngineOptions>;
    repost?: "after-look" | "never";
    start?: boolean;
  }): Promise<{ engine: Engine; pool: ScriptedPool; crash(): void }>;
}

/** Files without making them. */
export const prepareAtOnce: Prepare = async ({ episode, marker }) => ({
  prepared: {
    id: episode.id,
    title: episode.title,
    aboutHtml: episode.about,
    aboutText: episode.about,
    coverPath: null,
    audioPath: `/nowhere/${marker}.mp3`,
    audioSeconds: 1,
    language: "en",
    narrated: true,
    marker,
  },
  fixes: [],
});

let instances = 0;

/** A manager over HTTP, a site with a history, a virtual clock, and farms on one store. */
export async function givenWorld(t: TestContext, store: Store): Promise<World> {
  await store.migrate("farm", migrations);
  const [clock, manager, site] = [virtualClock(), await scriptedManager(t), new ScriptedSite()];
  clock.breathe = async () => {
    for (let round = 0; round < 3; round++) await Promise.all([store.raw("select 1"), new Promise((resolve) => setTimeout(resolve, 1))]);
  };
  const queue = memoryQueue(clock, store.backend);
  const dataDir = await tempDir(t, "engine");
  const vault = openVault({ dataDir, embedded: true });
  const engines: Engine[] = [];
  t.after(async () => {
    const stopped = new AbortController();
    const stopping = Promise.all(engines.map(async (engine) => engine.stop(0))).finally(() => stopped.abort());
    while (!stopped.signal.aborted) {
      await clock.advance(500);
      await clock.breathe();
    }
    await stopping;
  });
  return {
    clock,
    manager,
    site,
    queue,
    vault,
    async farm({ script, over, start = true, repost = "after-look" } = {}) {
      const own = clock.mortal();
      const pool = scriptedPool(site, script);
      const engine = new Engine({
        store,
        vault,
        queue,
        clock: own,
        random: () => 0.5,
        log: silentLog,
        sources: [createManagerSource({ url: manager.url, apiKey: demoKey, workerId: "farm-test" })],
        pool,
        prepare: prepareAtOnce,
        prepareParallel: 2,
        disk: async () => null,
        cards: [card],
        sites: {},
        instance: `instance-${++instances}`,
        concurrency: 4,
        pollMs: 5000,
        leaseMs: 60_000,
        work: {
          browser: noBrowser,
          imap: null,
          locale: "en-US",
          timeZone: "UTC",
          stepTimeoutMs: 60_000,
          settleMs: null,
          repost,
          mode: "post",
          evidenceDir: join(dataDir, "evidence"),
        },
        ...over,
      });
      if (start) await engine.start();
      engines.push(engine);
      return {
        engine,
        pool,
        crash() {
          own.kill();
          engines.splice(engines.indexOf(engine), 1);
        },
      };
    },
  };
}

/** A task as the manager hands it out. */
export function aTask(id: string, over: Record<string, unknown> = {}, episodes = 3): Record<string, unknown> {
  return {
    id,
    status: "queued",
    account_id: `account-${id}`,
    domain: "studio.example.com",
    email: `${id}@example.com`,
    password: "demo-password",
    data_content: Array.from({ length: episodes }, (_, index) => ({
      id: `${id}-ep-${index + 1}`,
      title: `Episode ${index + 1} of ${id}`,
      about: "<p>Text</p>",
      image_url: "",
    })),
    ...over,
  };
}
