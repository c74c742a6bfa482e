import { sql, type SelectQueryBuilder } from "kysely";
import { taskStatuses, type CreateTask, type TaskSource, type TaskStats, type TaskStatus } from "../../contract/task-api.ts";
import { nextTimeOfDay } from "../../kit/zoned-time.ts";
import type { FarmTables } from "../tables.ts";
import { TaskApiError } from "./errors.ts";
import { ledgerIdOf } from "./ids.ts";
import { episodesOf, ordersOf, type Order, type OrdersOptions } from "./orders.ts";
import { writeConfig } from "./script-config.ts";
import type { LocalTaskRow } from "./tables.ts";

export interface TaskBookOptions extends OrdersOptions {
  timeZone: string;
  now(): Date;
}

export interface TaskFilter {
  status: TaskStatus | null;
  serial: string;
  script_name: string;
  source: TaskSource | null;
  page: number;
  page_size: number;
}

/** What tasks were taken out of the ledger's hands: whoever works on one has to stop. */
export const STOPPED = "stopped";

/** Of rows that go to the database in one piece. */
const INSERT_CHARACTERS = 4 * 1024 * 1024;
const INSERT_ROWS = 200;

/** The farm's own record of tasks. The ledger works on them as on any other's: by the source `local`, which reads and writes here. */
export class TaskBook {
  readonly #o: TaskBookOptions;

  constructor(options: TaskBookOptions) {
    this.#o = options;
  }

  /** All or none. @returns ids, in the order of the entries  @throws TaskApiError 40001, 40003, 40401 */
  async create(given: CreateTask): Promise<number[]> {
    const { db, timeZone, now } = this.#o;
    const at = now();
    const startAt = given.start_time === undefined ? null : nextTimeOfDay(given.start_time, timeZone, at.getTime());
    if (given.start_time !== undefined && startAt === null) throw new TaskApiError(40001, 'start_time: not "HH:MM"');
    const script_config = writeConfig(given.script_config);
    this.#o.scripts.requireAnywhere(given.script_name);
    const orders = await ordersOf(this.#o, given);
    const episodes = await episodesOf(this.#o, orders, given);
    const rowOf = ({ account, username }: Order, index: number) => ({
      account: account.id,
      serial: account.serial,
      username,
      script_name: given.script_name,
      script_config,
      source: given.source,
      state: "pending" as const,
      start_time: given.start_time ?? null,
      start_at: startAt,
      episodes: JSON.stringify(episodes[index]),
      created_at: at,
    });
    return db.transaction().execute(async (trx) => {
      const ids: number[] = [];
      let rows: ReturnType<typeof rowOf>[] = [];
      let characters = 0;
      for (const [index, order] of orders.entries()) {
        const row = rowOf(order, index);
        rows.push(row);
        characters += row.script_config.length + row.episodes.length;
        if (characters < INSERT_CHARACTERS && rows.length < INSERT_ROWS && index < orders.length - 1) continue;
        const made = await trx.insertInto("local_tasks").values(rows).returning("id").execute();
        ids.push(...made.map(({ id }) => id).sort((a, b) => a - b));
        [rows, characters] = [[], 0];
      }
      return ids;
    });
  }

  async list(filter: TaskFilter): Promise<{ rows: LocalTaskRow[]; total: number }> {
    const filtered = <Output>(query: SelectQueryBuilder<FarmTables, "local_tasks", Output>) =>
      query
        .$if(filter.status !== null, (one) => one.where("state", "=", filter.status as TaskStatus))
        .$if(filter.serial !== "", (one) => one.where("serial", "=", filter.serial))
        .$if(filter.script_name !== "", (one) => one.where("script_name", "=", filter.script_name))
        .$if(filter.source !== null, (one) => one.where("source", "=", filter.source as TaskSource));
    const { db } = this.#o;
    const counted = await filtered(
      db.selectFrom("local_tasks").select((one) => one.fn.countAll<number>().as("total")),
    ).executeTakeFirstOrThrow();
    const rows = await filtered(db.selectFrom("local_tasks").selectAll())
      .orderBy("id", "desc")
      .limit(filter.page_size)
      .offset((filter.page - 1) * filter.page_size)
      .execute();
    return { rows, total: Number(counted.total) };
  }

  /** @throws TaskApiError 40401 */
  async read(id: number): Promise<LocalTaskRow> {
    const row = await this.#o.db.selectFrom("local_tasks").selectAll().where("id", "=", id).executeTakeFirst();
    if (!row) throw new TaskApiError(40401, `task ${id}`);
    return row;
  }

  async stats(): Promise<TaskStats> {
    const rows = await this.#o.db
      .selectFrom("local_tasks")
      .select((one) => ["state", one.fn.countAll<number>().as("count")])
      .groupBy("state")
      .execute();
    const of = (state: TaskStatus): number => Number(rows.find((row) => row.state === state)?.count ?? 0);
    const counts = Object.fromEntries(taskStatuses.map((state) => [state, of(state)])) as Record<TaskStatus, number>;
    return { total: Object.values(counts).reduce((sum, count) => sum + count, 0), ...counts };
  }

  async runningBySlot(): Promise<Map<string, number>> {
    const rows = await this.#o.db
      .selectFrom("local_tasks")
      .select((one) => ["serial", one.fn.countAll<number>().as("count")])
      .where("state", "=", "running")
      .groupBy("serial")
      .execute();
    return new Map(rows.map(({ serial, count }) => [serial, Number(count)]));
  }

  /** It is failed from now on, whatever is at work on it. @throws TaskApiError 40001 when it has ended, 40401 */
  async stop(id: number): Promise<LocalTaskRow> {
    const row = await this.#o.db
      .updateTable("local_tasks")
      .set({ state: "failed", error: STOPPED, finished_at: this.#o.now() })
      .where("id", "=", id)
      .where("state", "in", ["pending", "running"])
      .returningAll()
      .executeTakeFirst();
    if (row) return row;
    const { state } = await this.read(id);
    throw new TaskApiError(40001, `task ${id} is ${state}; only one that has not ended can be stopped`);
  }

  /** At once, as an attempt of its own. @throws TaskApiError 40001 when it has not failed, 40401 */
  async retry(id: number): Promise<LocalTaskRow> {
    const row = await this.read(id);
    if (row.state !== "failed") throw new TaskApiError(40001, `task ${id} is ${row.state}; only a failed one can be run again`);
    if (!(await this.#o.accounts.get([row.account])).has(row.account))
      throw new TaskApiError(40401, `the account ${row.username} of task ${id}`);
    const [again] = await this.#again(id);
    // Somebody else was faster: what it is now says what is wrong.
    return again ? this.read(id) : this.retry(id);
  }

  /** All that have failed and whose account is still there. @returns their ids */
  async retryAll(): Promise<number[]> {
    return (await this.#again(null)).map(({ id }) => id).sort((a, b) => a - b);
  }

  /** @returns those that were there */
  async remove(ids: readonly number[]): Promise<LocalTaskRow[]> {
    // There is no `in ()`.
    if (ids.length === 0) return [];
    return this.#o.db
      .deleteFrom("local_tasks")
      .where("id", "in", [...new Set(ids)])
      .returningAll()
      .execute();
  }

  /** Names of the ledger's rows, by local id: what a task waits for stands there. */
  async notes(rows: readonly LocalTaskRow[]): Promise<Map<number, string>> {
    const open = rows.filter(({ state }) => state === "pending" || state === "running");
    if (open.length === 0) return new Map();
    const known = await this.#o.db
      .selectFrom("tasks")
      .select(["id", "state", "waits_for"])
      .where("id", "in", open.map(ledgerIdOf))
      .execute();
    const byId = new Map(known.map((row) => [row.id, row]));
    return new Map(
      open.flatMap((row) => {
        const found = byId.get(ledgerIdOf(row));
        const why = found?.waits_for || (found?.state === "needs_person" ? "it waits for a person" : "");
        return why ? [[row.id, why] as const] : [];
      }),
    );
  }

  /** @param id null: all */
  async #again(id: number | null): Promise<{ id: number }[]> {
    return this.#o.db
      .updateTable("local_tasks")
      .set({
        state: "pending",
        attempt: sql<number>`attempt + 1`,
        start_at: null,
        error: "",
        result: null,
        started_at: null,
        finished_at: null,
      })
      .where("state", "=", "failed")
      .where("account", "in", (inner) => inner.selectFrom("local_accounts").select("local_accounts.id"))
      .$if(id !== null, (one) => one.where("id", "=", id))
      .returning("local_tasks.id")
      .execute();
  }
}
