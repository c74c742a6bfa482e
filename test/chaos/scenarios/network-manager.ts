import { Engine } from "../../../src/coordinator/engine.ts";
import { createManagerSource } from "../../../src/coordinator/manager-source.ts";
import { migrations } from "../../../src/coordinator/migrations.ts";
import { Failure } from "../../../src/contract/failures.ts";
import { openStore } from "../../../src/store/store.ts";
import { openVault } from "../../../src/store/vault.ts";
import { judge, withProblems } from "../../../src/cli/chaos/verdict.ts";
import { prepareAtOnce } from "../../support/given-engine.ts";
import { memoryQueue } from "../../support/memory-queue.ts";
import { card, scriptedPool, ScriptedSite } from "../../support/scripted-worker.ts";
import { silentLog } from "../../support/store.ts";
import { givenWorld } from "../browser/given-world.ts";
import { jumpClock } from "../browser/jump-clock.ts";
import { untilOver } from "../browser/until-over.ts";
import { faults, vary } from "../browser/wire-faults.ts";
import type { ChaosScenario } from "../support/scenario.ts";
import { openTcpProxy, type Fault, type PlannedFault } from "../support/tcp-proxy.ts";
import { noBrowser } from "../../support/no-browser.ts";

/** The farm's requests to its manager: the line of each, for a task; a pull is nobody's. */
const edges = {
  pull: (_taskId: string) => /^GET \/api\/v1\/podcast\/links\?/,
  read: (id: string) => new RegExp(`^GET .*/links/${id}$`),
  start: (id: string) => new RegExp(`^POST .*/links/${id}/start$`),
  complete: (id: string) => new RegExp(`^POST .*/links/${id}/complete$`),
  account: (id: string) => new RegExp(`^POST .*/links/${id}/account$`),
  fail: (id: string) => new RegExp(`^POST .*/links/${id}/fail$`),
};
const edgeNames = ["pull", "read", "start", "complete", "account", "fail"] as const satisfies (keyof typeof edges)[];
type Edge = (typeof edgeNames)[number];

/** A task of its own for each fault of each edge. */
interface Meeting {
  edge: Edge;
  fault: Fault;
  round: number;
  /** How often the same was tried before. */
  again: number;
  taskId: string;
  planned: PlannedFault;
}

const MAX_AGAIN = 5;
const REFUSED = "may not be posted";
const MANAGER_DEADLINE_MS = 1500;

/**
 * Every request of the farm to the manager is hit by every fault once: the real coordinator and the real manager over the
 * wire, with a worker that needs no browser.
 */
export const scenario: ChaosScenario = {
  name: "network-manager",
  title: "network faults, manager edges",
  async run(context) {
    const clock = jumpClock();
    const world = await givenWorld(context, clock);
    const door = await openTcpProxy(world.manager.url);
    context.after(async () => door.close());
    const rounds = context.size(1, 10);
    const meetings: Meeting[] = [];
    async function meet(edge: Edge, fault: Fault, round: number, again: number): Promise<void> {
      const fails = edge === "fail";
      const title = `${edge} × ${fault.kind} ${round + 1}${again > 0 ? `, again (${again})` : ""}${fails ? `, ${REFUSED}` : ""}`;
      const { taskId } = await world.ask(await world.member(), { title, by: "http://studio.example.com", mayFail: fails });
      meetings.push({ edge, fault, round, again, taskId, planned: door.harm(edges[edge](taskId), vary(fault, round)) });
    }
    for (let round = 0; round < rounds; round++)
      for (const edge of edgeNames) for (const fault of faults) await meet(edge, fault, round, 0);

    const dataDir = await world.farmFolder();
    const store = await openStore({ dataDir, log: silentLog });
    context.after(async () => store.close());
    await store.migrate("farm", migrations);
    const site = new ScriptedSite();
    const engine = new Engine({
      store,
      vault: openVault({ dataDir, embedded: true }),
      queue: memoryQueue(clock, store.backend),
      clock,
      random: Math.random,
      log: silentLog,
      sources: [createManagerSource({ url: door.url, apiKey: world.apiKey, workerId: "farm", deadlineMs: MANAGER_DEADLINE_MS })],
      pool: scriptedPool(site, (point, { next }) => {
        if (point === "before-look" && next?.episode.title.endsWith(REFUSED)) throw new Failure("account.refused", "by its script");
      }),
      prepare: prepareAtOnce,
      prepareParallel: 2,
      disk: async () => null,
      cards: [{ ...card, concurrency: 8 }],
      sites: {},
      instance: "farm-1",
      concurrency: 4,
      pollMs: 300,
      leaseMs: 60_000,
      work: {
        browser: noBrowser,
        imap: null,
        locale: "en-US",
        timeZone: "UTC",
        stepTimeoutMs: 10_000,
        settleMs: null,
        repost: "after-look",
        mode: "post",
        evidenceDir: `${dataDir}/evidence`,
      },
    });
    context.after(async () => engine.stop(1000));
    await engine.start();
    const over = async (): Promise<Set<string>> =>
      untilOver(context, world, {
        status: () => engine.status(),
        jump: async (ms) => clock.jump(ms),
        // The last word on an account follows the one on its task. A read does not: a task goes on without it for a while.
        more: () => meetings.some(({ edge, planned }) => edge !== "read" && !planned.met),
      });
    let persons = await over();
    for (let again = 1; again <= MAX_AGAIN; again++) {
      // The door is shut to all while one of them is refused, and every read of a task may fall into that time.
      const missed = meetings.filter(({ edge, planned }) => edge === "read" && !planned.met);
      if (missed.length === 0) break;
      for (const one of missed) {
        one.planned.withdraw();
        meetings.splice(meetings.indexOf(one), 1);
        await meet(one.edge, one.fault, one.round, again);
      }
      persons = await over();
    }
    const hits = door.passages.filter(({ fault }) => fault !== null).length;
    const verdict = judge({
      title: scenario.title,
      faults: hits,
      publishes: site.history.map(({ title }) => ({ episode: title, made: true, at: 0 })),
      asked: await world.endings(persons),
      detectMs: [],
      recoverMs: [],
    });
    return withProblems(verdict, [
      ...door.unmet.map((fault) => `No request met this fault: ${fault}.`),
      ...(verdict.inDoubt > 0 ? [`${verdict.inDoubt} episodes wait for a person, although only the manager was out of reach.`] : []),
    ]);
  },
};
