import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSecret } from "otplib";
import type { WorkerEpisode } from "../../contract/worker-api.ts";
import type { Clock } from "../../kit/clock.ts";
import { loadConfig } from "../../kit/config.ts";
import type { Log } from "../../kit/log.ts";
import type { Manager } from "../../manager/manager.ts";
import type { HistoryEntry as ManagerEntry } from "../../manager/history.ts";
import { openStore } from "../../store/store.ts";
import type { Studio } from "../../studio/studio.ts";
import { firstKey, managerStage, storeStage, studioStage, type Parts } from "../parts.ts";
import { startStages } from "../stages.ts";
import { beep } from "./content.ts";
import type { AskedEpisode, SitePublish } from "./verdict.ts";

/** Somebody with a show on the studio, as the manager has to know them. */
export interface Member {
  email: string;
  password: string;
  /** "" without a second factor. */
  twofa: string;
}

/** A task of one episode; its title is its only one in this world. */
export interface Asked {
  taskId: string;
  title: string;
  mayFail: boolean;
}

/** Everything but the farm: a manager and a studio in this process, on a database and a folder of their own. */
export interface World {
  readonly folder: string;
  readonly manager: Manager;
  readonly studio: Studio;
  /** The farm's key at the manager. */
  readonly apiKey: string;
  /** Where the episodes' audio lies: the farm needs it as MEDIA_DIRS. */
  readonly mediaDir: string;
  /** Makes a data folder for a farm, with an empty database in it. */
  farmFolder(name?: string): Promise<string>;
  readonly asked: readonly Asked[];
  member(secondFactor?: "none" | "totp"): Promise<Member>;
  /** Makes a task. @param by the studio's address as the farm is told it, where it is not the studio's own */
  ask(member: Member, over?: Partial<WorkerEpisode> & { by?: string; mayFail?: boolean }): Promise<Asked>;
  /** Has the manager been told how it went: completed with the feed's link, failed or canceled? */
  isOver(asked: Asked): Promise<boolean>;
  /** Calls the listener at each moment of a publish request. @returns ends that */
  onPublish(listener: (moment: "arrived" | "handled") => void): () => void;
  /** What the site handled, by the titles of the episodes. */
  publishes(): Promise<SitePublish[]>;
  /** What the manager was told. @param persons ids of tasks that the farm shows to a person */
  endings(persons: ReadonlySet<string>): Promise<AskedEpisode[]>;
  /** What farms said to the manager, oldest first. */
  heard(): Promise<ManagerEntry[]>;
  /** Closes all and removes the folder. */
  close(): Promise<void>;
}

export interface WorldOptions {
  log: Log;
  /** Puts an empty database into `<folder>/db`. Absent: one is made, which takes its seconds. */
  makeDatabase?: (folder: string) => Promise<void>;
  /** Retries by the manager after a failure that may heal. Default 3. */
  maxRetries?: number;
  /** The manager's. */
  clock?: Clock;
}

const ALL = 1_000_000;

/** Nothing of the user's is read: neither configuration nor environment nor data folder. */
export async function openWorld({ log, makeDatabase, maxRetries = 3, clock }: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "podcrew-chaos-"));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  const parts: Parts = {};
  try {
    const empty = join(folder, "empty");
    await mkdir(empty);
    // Made once for everybody: a copy takes a tenth of the time.
    await (makeDatabase?.(empty) ?? openStore({ dataDir: empty, log }).then(async (store) => store.close()));
    const copyTo = async (target: string): Promise<void> => cp(join(empty, "db"), join(target, "db"), { recursive: true });
    await copyTo(folder);
    const mediaDir = join(folder, "audio");
    await mkdir(mediaDir);
    await writeFile(join(mediaDir, "beep.wav"), beep());
    const config = await loadConfig({ data: folder, managerPort: 0, studioPort: 0, timeZone: "UTC" }, {}, folder);
    const stop = await startStages(
      [storeStage(config, log, parts), managerStage(config, log, parts, clock), studioStage(config, log, parts)],
      log,
    );
    const { manager, studio } = parts;
    const apiKey = await firstKey(config);
    if (!manager || !studio || !apiKey) throw new Error("the manager or the studio did not come up");
    studio.edges.processingMs = 0;
    return world({
      folder,
      mediaDir,
      manager,
      studio,
      apiKey,
      maxRetries,
      async farmFolder(name = "farm") {
        const made = join(folder, name);
        await copyTo(made);
        return made;
      },
      close: async () => stop().then(remove),
    });
  } catch (error) {
    await remove();
    throw error;
  }
}

function world({
  manager,
  studio,
  maxRetries,
  ...rest
}: Pick<World, "folder" | "mediaDir" | "farmFolder" | "manager" | "studio" | "apiKey" | "close"> & { maxRetries: number }): World {
  const asked: Asked[] = [];
  let wanted = 0;
  const listeners = new Set<(moment: "arrived" | "handled") => void>();
  studio.edges.onPublish = (moment) => listeners.forEach((listener) => listener(moment));
  return {
    ...rest,
    manager,
    studio,
    asked,
    async member(secondFactor = "none") {
      const name = `show-${randomBytes(4).toString("hex")}`;
      const member = {
        email: `${name}@podcrew.example`,
        password: `demo-password-${name}`,
        twofa: secondFactor === "totp" ? generateSecret() : "",
      };
      const { email, password, twofa } = member;
      const { id } = await studio.accounts.create({ email, password, secondFactor, ...(twofa && { totpSecret: twofa }) });
      await studio.shows.create({ ownerId: id, name, title: `Show ${name}` });
      return member;
    },
    async ask(account, { by = studio.url, mayFail = false, ...over } = {}) {
      wanted += 1;
      const title = over.title ?? `Episode ${wanted}`;
      const { taskId } = await manager.makeTask({
        account,
        website: by,
        maxRetries,
        episodes: [{ about: "<p>A short text.</p>", audio_url: join(rest.mediaDir, "beep.wav"), language: "en", ...over, title }],
      });
      const made = { taskId, title, mayFail };
      asked.push(made);
      return made;
    },
    async isOver({ taskId }) {
      const task = await manager.task(taskId);
      return (
        task === null || task.state === "failed" || task.state === "canceled" || (task.state === "completed" && task.account.linkRss !== "")
      );
    },
    onPublish(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    // By title, not by the mark in the file's name: the mark is the farm's own.
    async publishes() {
      return (await studio.history()).map(({ title, outcome, at }) => ({
        episode: title,
        made: outcome === "published",
        at: at.getTime(),
      }));
    },
    async endings(persons) {
      return Promise.all(
        asked.map(async ({ taskId, title, mayFail }): Promise<AskedEpisode> => {
          const task = await manager.task(taskId);
          const ended = task?.state === "completed" || task?.state === "failed" || task?.state === "canceled" ? task.state : "open";
          return { episode: title, ended, link: task?.linkPost ?? "", waitsForPerson: persons.has(taskId), ...(mayFail && { mayFail }) };
        }),
      );
    },
    heard: async () => manager.history({ limit: ALL }),
  };
}
