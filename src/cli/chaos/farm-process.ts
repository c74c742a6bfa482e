import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { FarmStatus } from "../../coordinator/status.ts";
import { requestJson } from "../../kit/http.ts";

/** A farm as its own process group, so that it can be ended as a machine ends: at once and without a word. */
export interface FarmProcess {
  readonly pid: number;
  /** Resolves once it works. @throws when it ends before, or is not up in time */
  up(withinMs?: number): Promise<void>;
  /** What a person is shown. Asks the farm's port. */
  status(): Promise<FarmStatus>;
  /** To the whole group. Does nothing when it is gone. */
  signal(name: NodeJS.Signals): void;
  /** kill -9. @returns when it is gone */
  kill(): Promise<void>;
  /** SIGTERM, and kill -9 when that takes too long. @returns its exit code, or the signal's name */
  stop(withinMs?: number): Promise<number | string>;
  /** How it ended. @throws when it lives on */
  ended(withinMs: number): Promise<number | string>;
  readonly alive: boolean;
  /** What it logged last. */
  log(): string;
  /** Waits until it logs this. */
  says(pattern: RegExp, withinMs: number): Promise<RegExpExecArray>;
}

export interface FarmProcessOptions {
  /** Its data folder; the next farm goes on with it. */
  folder: string;
  managerUrl: string;
  apiKey: string;
  /** Where the studio is; several when it is reached by several doors. */
  studioUrls: readonly string[];
  mediaDir: string;
  /** More settings, by their variables. */
  env?: Record<string, string>;
}

/** Short waits, so that an unknown outcome is cleared up within seconds. The look comes after the longest life of a request. */
export const shortWaits = { STEP_SECONDS: "10", SETTLE_SECONDS: "12.5", POLL_SECONDS: "0.3", LEASE_SECONDS: "10" } as const;

/** What a process needs of our environment; everything that is a setting is given. */
const inherited = /^(PATH|HOME|LANG|LC_ALL|TMPDIR|DISPLAY|LD_LIBRARY_PATH|PODCREW_BROWSER)$/;
const KEPT_CHARACTERS = 200_000;
const UP_MS = 60_000;

export async function startFarm({ folder, managerUrl, apiKey, studioUrls, mediaDir, env = {} }: FarmProcessOptions): Promise<FarmProcess> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const hosts = studioUrls.map((url) => new URL(url).host);
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../main.${ending()}`, import.meta.url)), "farm"], {
    // No podcrew.config of somebody's.
    cwd: folder,
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => inherited.test(name))),
      PODCREW_DATA: folder,
      MANAGER_URL: managerUrl,
      API_KEY: apiKey,
      SITES: studioUrls.map((url, index) => `${hosts[index]}=podcrew-studio@${url}`).join(","),
      MEDIA_DIRS: mediaDir,
      TASK_PORT: "0",
      LOG_FORMAT: "json",
      ...shortWaits,
      ...env,
    },
    // By the channel it notices when we are gone, and ends as well.
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    detached: true,
  });
  return follow(child);
}

function ending(): string {
  return import.meta.url.endsWith(".ts") ? "ts" : "js";
}

function follow(child: ChildProcess): FarmProcess {
  const pid = child.pid ?? 0;
  let text = "";
  let changed = Promise.withResolvers<void>();
  const change = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  child.stderr?.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-KEPT_CHARACTERS);
    change();
  });
  // Later than the exit: what it said last has arrived by then.
  let isOver = false;
  const closed = once(child, "close").then(() => {
    isOver = true;
    change();
  });
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const outcome = (): number | string => child.exitCode ?? child.signalCode ?? "?";
  const tail = (): string => text.slice(-3000);

  const farm: FarmProcess = {
    pid,
    get alive() {
      return isAlive();
    },
    log: () => text,
    async says(pattern, withinMs) {
      const timer = setTimeout(change, withinMs);
      const until = performance.now() + withinMs;
      try {
        for (;;) {
          const match = pattern.exec(text);
          if (match) return match;
          if (isOver) throw new Error(`the farm ended (${outcome()}) and never said ${pattern}\n${tail()}`);
          if (performance.now() >= until) throw new Error(`the farm did not say ${pattern} within ${withinMs} ms\n${tail()}`);
          await changed.promise;
        }
      } finally {
        clearTimeout(timer);
      }
    },
    up: async (withinMs = UP_MS) => void (await farm.says(UP, withinMs)),
    async status() {
      const [, url] = await farm.says(UP, UP_MS);
      const { body } = await requestJson(`${url}/api/v1/farm/status`, { deadlineMs: 5000 });
      return (body as { data: FarmStatus }).data;
    },
    signal(name) {
      if (!isAlive()) return;
      try {
        process.kill(-pid, name);
      } catch {
        // It ended a moment ago.
      }
    },
    async kill() {
      farm.signal("SIGKILL");
      await closed;
    },
    async ended(withinMs) {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => late.reject(new Error(`the farm did not end within ${withinMs} ms\n${tail()}`)), withinMs);
      try {
        await Promise.race([closed, late.promise]);
      } finally {
        clearTimeout(timer);
      }
      return outcome();
    },
    async stop(withinMs = 35_000) {
      farm.signal("SIGTERM");
      await farm.ended(withinMs).catch(async () => farm.kill());
      return outcome();
    },
  };
  return farm;
}

const UP = /"message":"farm is up: (http:\/\/[^\s"]+)/;
