import type { TestContext } from "node:test";
import type { FastifyInstance, InjectOptions } from "fastify";
import { workerTask, type Report } from "../../../src/contract/worker-api.ts";
import type { DriverCard } from "../../../src/contract/task.ts";
import type { TaskView } from "../../../src/contract/task-api.ts";
import type { Engine, EngineOptions } from "../../../src/coordinator/engine.ts";
import { createFarmServer, type FarmServerOptions } from "../../../src/coordinator/http.ts";
import { openLocalTasks, type LocalTasks } from "../../../src/coordinator/local/local-tasks.ts";
import type { ScriptsOptions } from "../../../src/coordinator/local/scripts.ts";
import { createManagerSource } from "../../../src/coordinator/manager-source.ts";
import { findSite } from "../../../src/coordinator/sites.ts";
import type { Source } from "../../../src/coordinator/source.ts";
import type { Store } from "../../../src/store/store.ts";
import { givenWorld, type World } from "../../support/given-engine.ts";
import { demoKey } from "../../support/scripted-manager.ts";
import { card, type Script, type ScriptedPool } from "../../support/scripted-worker.ts";
import { silentLog } from "../../support/store.ts";
import { passTime } from "../../support/virtual-clock.ts";

export interface Answer<Data = unknown> {
  status: number;
  code: number;
  message: string;
  data: Data;
}

export interface GivenTasks {
  world: World;
  local: LocalTasks;
  engine: Engine;
  pool: ScriptedPool;
  crash(): void;
  app: FastifyInstance;
  /** A call of the farm's port, from this machine. */
  ask<Data = unknown>(method: "GET" | "POST" | "DELETE", path: string, body?: unknown, more?: InjectOptions): Promise<Answer<Data>>;
  task(id: number): Promise<TaskView>;
  /** Lets time pass until tasks have this status. */
  until(status: number, ...ids: number[]): Promise<void>;
  /** The same with accounts made for it. */
  create(over?: object): Promise<number[]>;
}

export const FOLDER_WORD = "word-of-the-folder";
export const asFolder = { headers: { host: "127.0.0.1:50809", authorization: `Bearer ${FOLDER_WORD}` } };

export interface Given {
  script?: Script;
  over?: Partial<EngineOptions>;
  server?: Partial<NonNullable<FarmServerOptions["tasks"]>>;
  cards?: DriverCard[];
  scripts?: Partial<ScriptsOptions>;
  timeZone?: string;
  /** Accounts that are there. */
  accounts?: readonly object[];
  /** Another farm on the same world. */
  world?: World;
  concurrency?: number;
  start?: boolean;
}

export const maya = { website: "studio.example.com", email: "maya@example.com", password: "demo-password", serial: "slot-1" };
export const nam = { website: "studio.example.com", username: "nam", password: "demo-password", serial: "slot-2" };

/** A farm with a manager, a site, and tasks of its own behind its port, on a virtual clock. */
export async function givenTasks(t: TestContext, store: Store, given: Given = {}): Promise<GivenTasks> {
  const world = given.world ?? (await givenWorld(t, store));
  const { cards = [card], concurrency = 4 } = given;
  const local = openLocalTasks({
    store,
    vault: world.vault,
    clock: world.clock,
    config: { concurrency, timeZone: given.timeZone ?? "UTC" },
    cards: () => cards,
    findSite: (domain) => findSite(domain, cards, {}),
    mediaDirs: [],
    random: () => 0,
    ...given.scripts,
  });
  const farm = await world.farm({
    ...(given.script && { script: given.script }),
    over: {
      cards,
      concurrency,
      sources: [createManagerSource({ url: world.manager.url, apiKey: demoKey, workerId: "farm-test" }), local.source],
      ...given.over,
    },
    start: given.start ?? true,
  });
  const app = createFarmServer({
    engine: farm.engine,
    log: silentLog,
    allowedHosts: [],
    token: FOLDER_WORD,
    tasks: {
      ...local,
      plan: "Self-hosted",
      taskToken: undefined,
      concurrency,
      now: () => world.clock.now(),
      url: () => "http://127.0.0.1:50809",
      ...given.server,
    },
  });
  t.after(async () => app.close());
  const word = given.server?.taskToken;
  const ask: GivenTasks["ask"] = async (method, path, body, more = {}) => {
    const answer = await app.inject({
      method,
      url: `/api/v1${path}`,
      headers: { host: "127.0.0.1:50809", ...(word && { authorization: `Bearer ${word}` }) },
      ...(body !== undefined && { payload: body as object }),
      ...more,
    });
    return { status: answer.statusCode, ...answer.json<Omit<Answer<never>, "status">>() };
  };
  const task = async (id: number): Promise<TaskView> => (await ask<TaskView>("GET", `/task/${id}`)).data;
  if (given.accounts) await ask("POST", "/account/import", { accounts: given.accounts }, asFolder);
  return {
    ...farm,
    app,
    world,
    local,
    ask,
    task,
    async until(status, ...ids) {
      await passTime(world.clock, `tasks ${ids.join()} have status ${status}`, async () => {
        for (const id of ids) if ((await task(id)).status !== status) return false;
        return true;
      });
    },
    async create(over = {}) {
      const { data, message } = await ask<{ task_ids: number[] } | null>("POST", "/task", {
        usernames: ["maya@example.com"],
        script_name: "post",
        script_config: { captions: "Good morning" },
        ...over,
      });
      if (!data) throw new Error(message);
      return data.task_ids;
    },
  };
}

/** A source that hands out one task, once. */
export function bringing(name: string, task: Record<string, unknown>): Source & { said: Report[] } {
  const parsed = workerTask.parse(task);
  const tasks = [parsed];
  const said: Report[] = [];
  return {
    name,
    once: true,
    said,
    pull: async () => ({ kind: "tasks", tasks: tasks.splice(0), broken: [] }),
    read: async () => ({ kind: "task", task: { ...parsed, status: "running" } }),
    async deliver(_id, report) {
      said.push(report);
      return { kind: "delivered" };
    },
  };
}
