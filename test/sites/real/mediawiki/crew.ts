import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startFarm, type FarmProcess } from "../../../../src/cli/chaos/farm-process.ts";
import { openWorld } from "../../../../src/cli/chaos/world.ts";
import type { TaskView } from "../../../../src/manager/task-list.ts";
import { copyEmptyDatabase, silentLog } from "../../../support/store.ts";
import { openRealSite, type RealSite } from "../real-site.ts";
import { site, type MediaWiki, type Member } from "./site.ts";

/** A wiki, a manager in this process, and farms in processes of their own, one after the other on one data folder. */
export interface Crew {
  wiki: MediaWiki;
  /** @param env more settings, or a crash point */
  start(env?: Record<string, string>): Promise<FarmProcess>;
  /** Makes a task of one episode. @returns its id */
  ask(member: Member, title: string): Promise<string>;
  /** Waits until the task has ended, in whatever way. */
  ended(taskId: string, withinMs?: number): Promise<TaskView>;
}

const ENDED: readonly TaskView["state"][] = ["completed", "failed", "canceled", "needs_person"];
const ENDED_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 100;

export async function givenCrew(t: TestContext, wikiSite: RealSite<MediaWiki> = site): Promise<Crew> {
  // Hooks run in the order of their registration; parts end in the reverse order of their start.
  const closing: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const close of closing.toReversed()) await close();
  });
  const wiki = await openRealSite(wikiSite);
  closing.push(async () => wiki.close());
  const { manager, ...world } = await openWorld({ log: silentLog, makeDatabase: copyEmptyDatabase });
  closing.push(async () => world.close());
  const folder = await world.farmFolder();
  return {
    wiki,
    async start(env = {}) {
      const sites = `${new URL(wiki.origin).host}=mediawiki@${wiki.origin}`;
      const farm = await startFarm({
        folder,
        managerUrl: manager.url,
        apiKey: world.apiKey,
        studioUrls: [],
        mediaDir: world.mediaDir,
        env: { SITES: sites, ...env },
      });
      closing.push(async () => farm.kill());
      return farm;
    },
    async ask(account, title) {
      const episode = {
        id: randomUUID(),
        title,
        about: "<p>A <strong>short</strong> text.</p>",
        audio_url: join(world.mediaDir, "beep.wav"),
        language: "en",
      };
      return (await manager.makeTask({ account, website: wiki.origin, maxRetries: 0, episodes: [episode] })).taskId;
    },
    async ended(taskId, withinMs = ENDED_WITHIN_MS) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        const task = await manager.task(taskId);
        if (task && ENDED.includes(task.state) && (task.state !== "completed" || task.account.linkRss)) return task;
        assert.ok(
          performance.now() < deadline,
          `task ${taskId} ends within ${withinMs / 1000} s; it is ${task?.state}: ${task?.errorMessage} ${task?.waitsFor}`,
        );
        await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
      }
    },
  };
}
