import { UsageError } from "../kit/config.ts";
import { systemClock, type Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import { listen } from "../kit/server.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../store/vault.ts";
import { createAnnouncedSites } from "./announced-sites.ts";
import { writeFirstCredentials } from "./first-credentials.ts";
import { readHistory, type HistoryEntry } from "./history.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { createHttp } from "./http.ts";
import { createKeys, type Keys } from "./keys.ts";
import { makeImport, makeTask, type ImportInput, type MadeTask, type TaskInput } from "./make-task.ts";
import { managerMigrations } from "./migrations.ts";
import type { ManagerTables } from "./tables.ts";
import { grant } from "./people/credits.ts";
import { createTokens } from "./people/tokens.ts";
import { createUsers, type Users } from "./people/users.ts";
import { createTaskBook } from "./task-book.ts";
import { listTasks, type TaskView } from "./task-list.ts";

interface ManagerOptions {
  /** Stays open when the manager closes. */
  store: Store;
  vault: Vault;
  log: Log;
  config: {
    host: string;
    /** 0: any free one. */
    port: number;
    /** Host names for pages with a session. */
    allowedHosts: readonly string[];
    /** The address that others are told; absent: where it listens. */
    publicUrl?: string | undefined;
    /** Secrets in all answers, as the texts of the APIs have them (PODCREW_REVEAL). */
    reveal?: boolean | undefined;
    /** Whose X-Forwarded-For counts: addresses and CIDR ranges (TRUSTED_PROXIES). */
    trustedProxies?: readonly string[] | undefined;
  };
  /** Where the first API key and the first owner are written, and files of contents kept; absent: none are. */
  dataDir?: string;
  clock?: Clock;
}

/** Where farms get their work from: accounts, requests, tasks and the Podcast worker API. */
export interface Manager {
  /** Origin, e.g. "http://127.0.0.1:8700". */
  readonly url: string;
  readonly keys: Pick<Keys, "create" | "list" | "revoke">;
  readonly users: Pick<Users, "create" | "list" | "find" | "setRole" | "setPassword" | "remove">;
  /** Adds credits to an owner's; negative: takes some back. @returns the balance. @throws UsageError when there is no such owner, or less to take */
  addCredits(input: { email: string; amount: number; note?: string }): Promise<number>;
  /** @throws UsageError naming everything that is wrong with the input */
  makeTask(input: TaskInput): Promise<MadeTask>;
  /** An account that imports what the request's primary posts. @throws UsageError as makeTask */
  makeImport(input: ImportInput): Promise<MadeTask>;
  /** Newest first, at most 1000. */
  tasks(): Promise<TaskView[]>;
  task(id: string): Promise<TaskView | null>;
  /** Twice does no harm. @throws ApiError task_not_found; bad_transition when it is completed */
  cancelTask(id: string): Promise<void>;
  /** The history keeps what happened to it. @returns false when there is no such task */
  deleteTask(id: string): Promise<boolean>;
  /** What workers asked and were answered, oldest first. */
  history(query?: { taskId?: string; limit?: number }): Promise<HistoryEntry[]>;
  close(): Promise<void>;
}

/** Brings the schema up to date and listens. @throws UsageError when the port is taken or the data folder can't be written */
export async function openManager(options: ManagerOptions): Promise<Manager> {
  const { store, vault, config, clock = systemClock } = options;
  const log = options.log.child({ part: "manager" });
  await store.migrate("manager", managerMigrations);
  const db = store.part<ManagerTables>("manager");
  const now = (): number => clock.now();
  const keys = createKeys(db, clock);
  const book = createTaskBook({ db, vault, log, now });
  const announced = createAnnouncedSites(db);
  const users = createUsers(db, clock);
  const tokens = await createTokens({ db, vault, clock });
  const app = await createHttp({
    db,
    log,
    keys,
    book,
    announced,
    users,
    tokens,
    vault,
    reveal: config.reveal ?? false,
    publicUrl: () => publicUrl,
    dataDir: options.dataDir,
    trustedProxies: config.trustedProxies ?? [],
    now,
  });
  let publicUrl = config.publicUrl ?? "";
  const listening = await listen(app, { host: config.host, port: config.port, setting: "MANAGER_PORT" });
  publicUrl ||= listening.url;
  try {
    if (options.dataDir)
      await writeFirstCredentials({ db, keys, users, dataDir: options.dataDir, url: config.publicUrl ?? listening.url, log });
  } catch (error) {
    await listening.close();
    throw error;
  }
  const housekeeping = startHousekeeping({ db, log, now });
  log.info(`The manager listens on ${listening.url}`);

  return {
    url: listening.url,
    keys,
    users,
    async addCredits({ email, amount, note = "" }) {
      const user = await users.find(email);
      if (user?.role !== "owner") throw new UsageError(`${email} is no owner here; credits belong to owners.`);
      if (!Number.isSafeInteger(amount) || amount === 0) throw new UsageError("Credits are added in whole numbers.");
      return grant(db, user, amount, note, new Date(now()));
    },
    makeTask: async (input) => makeTask(db, vault, input, new Date(now())),
    makeImport: async (input) => makeImport(db, vault, input, new Date(now())),
    tasks: async () => listTasks(db, await announced.all(), new Date(now())),
    task: async (id) => (await listTasks(db, await announced.all(), new Date(now()), { id }))[0] ?? null,
    cancelTask: async (id) => book.cancel(id),
    deleteTask: async (id) => book.remove(id),
    history: async (query) => readHistory(db, query),
    async close() {
      await housekeeping.stop();
      await listening.close();
    },
  };
}
