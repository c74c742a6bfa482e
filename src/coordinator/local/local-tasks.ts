import type { Config } from "../../kit/config.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Store } from "../../store/store.ts";
import type { Vault } from "../../store/vault.ts";
import type { Site } from "../sites.ts";
import type { Source } from "../source.ts";
import type { Database, FarmTables } from "../tables.ts";
import { AccountBook } from "./accounts.ts";
import { createLocalSource } from "./local-source.ts";
import { Scripts, type ScriptsOptions } from "./scripts.ts";
import { TaskBook } from "./task-book.ts";

export interface LocalTasksOptions extends ScriptsOptions {
  store: Store;
  vault: Vault;
  clock: Clock;
  config: Pick<Config, "concurrency" | "timeZone">;
  findSite(domain: string): Site | null;
}

/** The farm's own accounts and tasks, with the source by which the engine works on them. */
export interface LocalTasks {
  readonly db: Database;
  readonly accounts: AccountBook;
  readonly tasks: TaskBook;
  readonly source: Source;
}

export function openLocalTasks({ store, vault, clock, config, findSite, ...scripts }: LocalTasksOptions): LocalTasks {
  const db = store.part<FarmTables>("farm");
  const now = (): Date => new Date(clock.now());
  const { concurrency, timeZone } = config;
  const accounts = new AccountBook({ db, vault, findSite, concurrency, now });
  const tasks = new TaskBook({ db, accounts, scripts: new Scripts(scripts), findSite, concurrency, timeZone, now });
  return { db, accounts, tasks, source: createLocalSource({ db, accounts, now }) };
}
