import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { generateSecret } from "otplib";
import { createFarm, type Farm } from "../../src/coordinator/farm.ts";
import { createManagerSource } from "../../src/coordinator/manager-source.ts";
import type { WorkerEpisode } from "../../src/contract/worker-api.ts";
import { browserSettings } from "../../src/cli/browser.ts";
import { driverModules } from "../../src/cli/drivers.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { loadConfig } from "../../src/kit/config.ts";
import { openManager, type Manager } from "../../src/manager/manager.ts";
import type { TaskView } from "../../src/manager/task-list.ts";
import { openStore } from "../../src/store/store.ts";
import { openVault } from "../../src/store/vault.ts";
import { openStudio, type Studio } from "../../src/studio/studio.ts";
import type { Edges } from "../../src/studio/edges.ts";
import type { Dovecot } from "./dovecot.ts";
import { copyEmptyDatabase, silentLog } from "./store.ts";
import { tempDir } from "./temp.ts";

/** Manager, studio and farm as `podcrew up` wires them, on ports of their own, with a real browser. */
export interface Whole {
  manager: Manager;
  studio: Studio;
  farm: Farm;
  dataDir: string;
  /** A studio account with a show of its own, as the manager has to know it. */
  account(show?: { locked?: boolean }): Promise<WholeAccount>;
  /** Makes a task and waits until the manager shows how it ended. */
  post(episodes: Partial<WorkerEpisode>[], account?: WholeAccount): Promise<TaskView>;
  /** Waits for a task to reach one of these states. */
  reaches(taskId: string, states: readonly TaskView["state"][], withinMs?: number): Promise<TaskView>;
}

/** As the manager takes it. */
export interface WholeAccount {
  email: string;
  password: string;
  twofa: string;
  app_password?: string;
}

export interface WholeOptions {
  /** A mail server: the studio mails through it, every account has a mailbox there. */
  mail?: Dovecot;
  edges?: Partial<Edges>;
  /** Settings by name, as in podcrew.config. */
  settings?: Record<string, unknown>;
  allowPrivate?: string[];
  /** Another driver for the studio, by its name and the files to load besides the usual ones. */
  driver?: { site: string; modules: readonly string[] };
  /** A door in front of the studio, which the farm has to use. @returns its origin */
  door?: (studioUrl: string) => Promise<string>;
  /** By the manager, after a failure that may heal; 0 by default, so that a test sees the first end. */
  maxRetries?: number;
}

const ENDED: readonly TaskView["state"][] = ["completed", "failed", "canceled", "needs_person"];
const POST_MS = 90_000;

export async function wholePodcrew(t: TestContext, options: WholeOptions = {}): Promise<Whole> {
  const { mail } = options;
  const dataDir = await tempDir(t, "whole");
  await copyEmptyDatabase(dataDir);
  // Hooks run in the order of their registration; parts close in the reverse order of their start.
  const closing: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const close of closing.toReversed()) await close();
  });
  const store = await openStore({ dataDir, log: silentLog });
  closing.push(async () => store.close());
  const config = await loadConfig(
    {
      data: dataDir,
      pollSeconds: 0.5,
      stepSeconds: 20,
      imageSeconds: 5,
      logLevel: "silent",
      ...(mail && { imapHost: mail.imap.host, imapPort: mail.imap.port, imapCaFile: mail.imap.caFile }),
      ...options.settings,
    },
    { PODCREW_BROWSER: process.env["PODCREW_BROWSER"] },
    dataDir,
  );
  const vault = openVault({ dataDir, embedded: true });
  const log = silentLog;
  const base = { host: "127.0.0.1", port: 0, allowedHosts: [], publicUrl: undefined };
  const manager = await openManager({ store, vault, log, config: base });
  closing.push(async () => manager.close());
  const studio = await openStudio({
    store,
    vault,
    log,
    config: { ...base, dataDir, smtpUrl: mail?.lmtpUrl, mailFrom: "studio@podcrew.example", timeZone: "UTC" },
    edges: { processingMs: 50, ...options.edges },
  });
  closing.push(async () => studio.close());
  const origin = (await options.door?.(studio.url)) ?? studio.url;
  const { key } = await manager.keys.create({ name: "test farm" });
  const farm = await createFarm({
    config: { ...config, allowPrivate: [new URL(studio.url).host, ...(options.allowPrivate ?? [])] },
    store,
    vault,
    log,
    clock: systemClock,
    source: createManagerSource({ url: manager.url, apiKey: key, workerId: "test-farm" }),
    local: true,
    workerModule: new URL("../../src/worker/entry.ts", import.meta.url),
    driverModules: [...driverModules(config), ...(options.driver?.modules ?? [])],
    browser: await browserSettings(config),
    sites: { [new URL(studio.url).host]: { driver: options.driver?.site ?? "podcrew-studio", origin } },
    dataDir,
    listenOn: { host: "127.0.0.1", port: 0, setting: "TASK_PORT" },
  });
  closing.push(async () => farm.stop({ deadlineMs: 10_000 }));
  await farm.start();

  const whole: Whole = {
    manager,
    studio,
    farm,
    dataDir,
    async account(show = {}) {
      const name = `show-${randomBytes(4).toString("hex")}`;
      const given = { email: `${name}@podcrew.example`, password: `demo-password-${name}`, twofa: generateSecret() };
      const { id } = await studio.accounts.create({
        email: given.email,
        password: given.password,
        secondFactor: "totp",
        totpSecret: given.twofa,
      });
      await studio.shows.create({ ownerId: id, name, title: `Show ${name}`, ...show });
      return { ...given, ...(mail && { app_password: mail.imap.password }) };
    },
    async post(episodes, given) {
      const account = given ?? (await whole.account());
      const { taskId } = await manager.makeTask({
        account,
        website: studio.url,
        maxRetries: options.maxRetries ?? 0,
        episodes: episodes.map((episode) => ({ title: "A title", about: "<p>A short text that is read aloud.</p>", ...episode })),
      });
      return whole.reaches(taskId, ENDED);
    },
    async reaches(taskId, states, withinMs = POST_MS) {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const task = await manager.task(taskId);
        // Completed is reported before the account's link: the farm is done when both are in.
        const isPost = task?.kind === "primary";
        const whole =
          task !== null && states.includes(task.state) && (task.state !== "completed" || !isPost || task.account.linkRss !== "");
        if (whole) return task;
        if (Date.now() > deadline)
          throw new Error(
            `task ${taskId} is ${task?.state} after ${withinMs} ms and not ${states.join(" or ")}: ${task?.errorMessage} ${task?.waitsFor} ${JSON.stringify(farm.status())}`,
          );
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  };
  return whole;
}
