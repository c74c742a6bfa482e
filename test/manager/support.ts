import { randomUUID } from "node:crypto";
import { test, type TestContext } from "node:test";
import { workerTask, type WorkerTask } from "../../src/contract/worker-api.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { requestJson } from "../../src/kit/http.ts";
import { openManager, type Manager } from "../../src/manager/manager.ts";
import type { TaskInput } from "../../src/manager/make-task.ts";
import type { Store } from "../../src/store/store.ts";
import { openVault, type Vault } from "../../src/store/vault.ts";
import { postgresMissing } from "../support/postgres.ts";
import { givenPglite, givenPostgres, silentLog, type Given } from "../support/store.ts";
import { afterTheRest } from "../support/temp.ts";

/** Time that moves only when the test says so. */
export interface VirtualClock extends Clock {
  forwardMinutes(minutes: number): void;
}

function virtualClock(): VirtualClock {
  let nowMs = Date.UTC(2026, 10, 21, 8, 0, 0);
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async () => {},
    forwardMinutes: (minutes) => {
      nowMs += minutes * 60_000;
    },
  };
}

export interface Answer {
  status: number;
  body: { success?: boolean; data?: unknown; message?: string; code?: string; account_id?: string; updated_fields?: number };
  text: string;
  headers: Headers;
}

export interface CallOptions {
  method?: string;
  /** null: no key at all. */
  key?: string | null;
  worker?: string | null;
  sites?: string;
  json?: unknown;
  /** Sent as it is. */
  body?: string;
  contentType?: string;
}

/** A farm as the manager sees it: one key, one worker name. */
export interface TestFarm {
  pull(query?: string, options?: CallOptions): Promise<WorkerTask[]>;
  read(id: string): Promise<Answer>;
  start(id: string): Promise<Answer>;
  complete(id: string, json: unknown): Promise<Answer>;
  account(id: string, json: unknown): Promise<Answer>;
  fail(id: string, json?: unknown): Promise<Answer>;
}

export interface Scene extends Given {
  manager: Manager;
  vault: Vault;
  clock: VirtualClock;
  apiKey: string;
  /** A call of the worker API; the path starts after `/api/v1/podcast`. */
  call(path: string, options?: CallOptions): Promise<Answer>;
  farm(worker: string | null, key?: string): TestFarm;
  /** A task with two episodes for an account of its own on studio.example.com. */
  task(input?: Partial<TaskInput>): Promise<string>;
}

/** A manager on a free port over an empty schema, on both backends. */
export function withManager(name: string, run: (scene: Scene, t: TestContext) => Promise<void>): void {
  for (const shared of [pglite, postgres]) {
    const { skip } = shared;
    if (!skip) shared.wanted += 1;
    test(`${name} (${shared.backend})`, { skip: skip ?? false }, async (t) => {
      // After the manager that stands on it.
      afterTheRest(t, 1, async () => release(shared));
      await run(await openScene(t, await sharedStore(shared)), t);
    });
  }
}

/** One database for all tests of this process, because opening one costs more than a test; it is closed with the last of them. */
interface SharedStore {
  readonly backend: "pglite" | "postgres";
  readonly skip: string | null;
  readonly open: (t: TestContext) => Promise<Given>;
  /** Tests that are still to come. */
  wanted: number;
  given: Promise<Given> | null;
  /** Of the schema, as it was first. */
  shape: string | null;
  closing: (() => unknown)[];
}

const none = { wanted: 0, given: null, shape: null };
const pglite: SharedStore = { backend: "pglite", skip: null, open: givenPglite, ...none, closing: [] };
const postgres: SharedStore = { backend: "postgres", skip: postgresMissing, open: givenPostgres, ...none, closing: [] };

/** The store with a manager's schema as new. */
async function sharedStore(shared: SharedStore): Promise<Given> {
  const process = { after: (step: () => unknown) => void shared.closing.push(step) } as unknown as TestContext;
  const given = await (shared.given ??= shared.open(process));
  shared.shape ??= await shapeOf(given.store);
  if ((await shapeOf(given.store)) === shared.shape) await takeRowsAway(given.store);
  // A test broke something on purpose; the manager makes the schema anew.
  else await given.store.raw("drop schema manager cascade");
  return given;
}

/** Of all tables but the one that the migrations fill: a tenth of the time that making the schema anew takes. */
async function takeRowsAway(store: Store): Promise<void> {
  const { rows } = await store.raw(
    "select tablename from pg_tables where schemaname = 'manager' and tablename not like 'kysely%' and tablename <> 'media_store'",
  );
  const deletes = (rows as { tablename: string }[]).map(({ tablename }) => `delete from manager.${tablename};`);
  // As a replica: a history that is append-only for everybody, and rows that others point to, go as well.
  await store.raw(
    `begin; set local session_replication_role = replica; ${deletes.join(" ")} update manager.media_store set id = gen_random_uuid(); commit`,
  );
}

/** Says the same as long as no table, rule or constraint is another. */
async function shapeOf(store: Store): Promise<string> {
  const { rows } = await store.raw(`
    select string_agg(line, ' ' order by line) as shape from (
      select relname::text as line from pg_class where relnamespace = to_regnamespace('manager')
      union all select conrelid::regclass || ' ' || conname from pg_constraint where connamespace = to_regnamespace('manager')
      union all select tablename || ' ' || rulename from pg_rules where schemaname = 'manager') as lines`);
  return (rows as { shape: string | null }[])[0]?.shape ?? "";
}

async function release(shared: SharedStore): Promise<void> {
  shared.wanted -= 1;
  if (shared.wanted > 0) return;
  shared.given = null;
  shared.shape = null;
  for (let step = shared.closing.shift(); step; step = shared.closing.shift()) await step();
}

export async function openScene(t: TestContext, given: Given): Promise<Scene> {
  const clock = virtualClock();
  const vault = openVault({ dataDir: given.dataDir, embedded: true });
  const manager = await openManager({
    store: given.store,
    vault,
    log: silentLog,
    config: { host: "127.0.0.1", port: 0, allowedHosts: [] },
    clock,
  });
  t.after(async () => manager.close());
  const { key: apiKey } = await manager.keys.create({ name: "farm" });

  const call: Scene["call"] = async (
    path,
    { method = "GET", key = apiKey, worker = "farm-1", sites, json, body, contentType = "application/json" } = {},
  ) => {
    const sent = json === undefined ? body : JSON.stringify(json);
    const response = await fetch(`${manager.url}/api/v1/podcast${path}`, {
      method,
      headers: {
        ...(key !== null && { "x-api-key": key }),
        ...(worker !== null && { "x-worker-id": worker }),
        ...(sites !== undefined && { "x-worker-sites": sites }),
        ...(sent !== undefined && { "content-type": contentType }),
      },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    return { status: response.status, body: text ? (JSON.parse(text) as Answer["body"]) : {}, text, headers: response.headers };
  };

  const farm: Scene["farm"] = (worker, key = apiKey) => {
    const post = async (id: string, action: string, json?: unknown): Promise<Answer> =>
      call(`/links/${id}/${action}`, { method: "POST", worker, key, json });
    return {
      async pull(query = "", options = {}) {
        const { status, body } = await call(`/links${query}`, { worker, key, ...options });
        if (status !== 200) throw new Error(`the pull was answered ${status} ${JSON.stringify(body)}`);
        return (body.data as unknown[]).map((task) => workerTask.parse(task));
      },
      read: async (id) => call(`/links/${id}`, { worker, key }),
      start: async (id) => post(id, "start"),
      complete: async (id, json) => post(id, "complete", json),
      account: async (id, json) => post(id, "account", json),
      fail: async (id, json = { error_message: "the upload failed" }) => post(id, "fail", json),
    };
  };

  const task: Scene["task"] = async (input = {}) => {
    const made = await manager.makeTask({
      account: { email: `${randomUUID().slice(0, 8)}@example.com`, password: "demo-password" },
      website: "https://studio.example.com",
      episodes: [
        { title: "Episode 1", about: "<p>One</p>" },
        { title: "Episode 2", about: "<p>Two</p>" },
      ],
      ...input,
    });
    return made.taskId;
  };
  return { ...given, manager, vault, clock, apiKey, call, farm, task };
}

export const link = "https://studio.example.com/e/ep-1";

/** `/metrics`, `/readyz` and whatever else stands outside the API. */
export async function get(url: string): Promise<{ status: number; body: unknown }> {
  const { status, body } = await requestJson(url);
  return { status, body };
}

/** The data of a one-task answer. */
export function dataOf(answer: Answer): WorkerTask & Record<string, unknown> {
  return answer.body.data as WorkerTask & Record<string, unknown>;
}
