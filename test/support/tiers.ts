import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { readAccessToken } from "../../src/kit/access-token.ts";
import type { FarmStatus, WaitingPerson } from "../../src/coordinator/status.ts";
import type { TaskView } from "../../src/manager/task-list.ts";
import type { Edges } from "../../src/studio/edges.ts";
import type { HistoryEntry } from "../../src/studio/publishing.ts";
import { openFaultyProxy, type Fault } from "./faulty-proxy.ts";
import { wholePodcrew, type Whole } from "./whole.ts";

/** A studio of one kind, the farm that posts to it through a bad line, and what the studio says of it all. */
export interface Tier {
  whole: Whole;
  /** A new account is to post one episode; its first publish request meets this fault. @returns the task's id */
  ask(fault: Exclude<Fault, "none">, title: string): Promise<string>;
  /** The task has ended well. */
  completed(taskId: string): Promise<TaskView>;
  /** The farm shows that this task waits for a person. */
  waitsForPerson(taskId: string): Promise<WaitingPerson>;
  /** `podcrew resolve`, as it reaches the farm. */
  resolve(word: { task: string; episode: string; posted?: string; absent?: true }): Promise<void>;
  /** The publish requests with this title that the studio handled: "published", "repeat". */
  history(title: string): Promise<string[]>;
  /** Addresses of the episodes with this title. */
  links(title: string): Promise<string[]>;
}

const file = (name: string): string => new URL(`studio-drivers/${name}.ts`, import.meta.url).href;
const PERSON_WITHIN_MS = 60_000;

/**
 * @param driver one of studio-drivers; null: the studio's own
 * @param publishRequest the line of the studio's publish request; its group is the show's name
 */
export async function givenTier(t: TestContext, edges: Partial<Edges>, driver: string | null, publishRequest: RegExp): Promise<Tier> {
  const faults = new Map<string, Fault>();
  const whole = await wholePodcrew(t, {
    edges,
    ...(driver && { driver: { site: driver, modules: [file(driver)] } }),
    door: async (studioUrl) =>
      openFaultyProxy(t, studioUrl, (line) => {
        const show = publishRequest.exec(line)?.[1] ?? "";
        const fault = faults.get(show) ?? "none";
        faults.delete(show);
        return fault;
      }),
    // Nothing is on its way any more once the door has been slammed, so that the look need not wait long.
    settings: { settleSeconds: 3, stepSeconds: 15 },
  });
  const published = async (title: string): Promise<HistoryEntry[]> => (await whole.studio.history()).filter((row) => row.title === title);
  const status = async (): Promise<FarmStatus> => {
    const answer = await fetch(`${whole.farm.url}/api/v1/farm/status`, { signal: AbortSignal.timeout(10_000) });
    return ((await answer.json()) as { data: FarmStatus }).data;
  };
  return {
    whole,
    async ask(fault, title) {
      const account = await whole.account();
      faults.set(account.email.replace(/@.*/, ""), fault);
      const episodes = [{ title, about: "<p>A short text that is read aloud.</p>" }];
      return (await whole.manager.makeTask({ account, website: whole.studio.url, maxRetries: 0, episodes })).taskId;
    },
    completed: async (taskId) => whole.reaches(taskId, ["completed"]),
    async waitsForPerson(taskId) {
      const deadline = Date.now() + PERSON_WITHIN_MS;
      for (;;) {
        const found = (await status()).needsPerson.find((one) => one.taskId === taskId);
        if (found) return found;
        assert.ok(Date.now() < deadline, `task ${taskId} waits for a person within ${PERSON_WITHIN_MS} ms`);
        await new Promise((done) => setTimeout(done, 100));
      }
    },
    async resolve(word) {
      const answer = await fetch(`${whole.farm.url}/api/v1/farm/resolve`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${await readAccessToken(whole.dataDir)}` },
        body: JSON.stringify(word),
        signal: AbortSignal.timeout(10_000),
      });
      assert.equal(answer.status, 200, await answer.text());
    },
    history: async (title) => (await published(title)).map(({ outcome }) => outcome),
    links: async (title) => (await published(title)).filter(({ outcome }) => outcome === "published").map(({ link }) => link),
  };
}
