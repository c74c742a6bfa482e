import { Kysely } from "kysely";
import { migrations } from "../../src/coordinator/migrations.ts";
import { farmDialect } from "./farm-dialect.ts";
import { never, type Machine } from "./machine.ts";
import { Wire, type Answer } from "./wire.ts";

/** All rows of all tables at one moment, as JSON text by table. */
export type Snapshot = ReadonlyMap<string, string>;

/** A row of farm.episodes as a statement of a farm returned it. */
export interface SeenEpisode {
  account_key: string;
  episode_id: string;
  state: string;
  fence: number;
}

export interface DatabaseEvents {
  /** Rows of farm.episodes after a change that is committed now. */
  episodes(machine: Machine, rows: readonly SeenEpisode[]): void;
  /** Something was committed. */
  committed(machine: Machine): void;
}

const QUEUE_TABLE = `
  create schema sim;
  create table sim.jobs (
    ticket integer generated always as identity primary key, task text not null, account text not null, priority integer not null,
    at timestamptz not null, touched timestamptz, attempt integer not null default 0, deaths integer not null default 0
  )`;
const SETTINGS = "set synchronous_commit = off; set plan_cache_mode = force_generic_plan; set search_path = farm";
const RESETS_BEFORE_VACUUM = 20;
const RESETS_BEFORE_CHECKPOINT = 500;

/**
 * The one database of all simulated farms: real SQL, in memory. Transactions of different farms come one after the other (a
 * single connection), statements outside of them interleave freely.
 */
export class Database {
  readonly #wire: Wire;
  readonly #tables: readonly string[];
  #resets = 0;
  #holder: Machine | null = null;
  #waiting: { machine: Machine; go: () => void }[] = [];
  #inTransaction = false;
  #changed = false;
  #failed = false;
  #seen: SeenEpisode[] = [];
  /** Answers to reads, good until one of their tables is written to: farms that poll ask the same over and over. */
  readonly #known = new Map<string, { answer: Answer; version: number }>();
  /** How often each table was written to. */
  readonly #versions = new Map<string, number>();
  events: DatabaseEvents | null = null;
  /** Statements that reached PostgreSQL. */
  statements = 0;

  private constructor(wire: Wire, tables: readonly string[]) {
    this.#wire = wire;
    this.#tables = tables;
  }

  static async open(): Promise<Database> {
    const wire = await Wire.open();
    wire.run(`${SETTINGS}; create schema farm; ${QUEUE_TABLE}`);
    const db = new Kysely<unknown>({ dialect: farmDialect({ ...plain(wire) }) }).withSchema("farm");
    for (const name of Object.keys(migrations).sort()) await migrations[name]?.up(db);
    const { rows } = wire.query(
      "select schemaname || '.' || tablename as name from pg_tables where schemaname in ('farm', 'sim') order by 1",
    );
    const tables = rows.map((row) => row["name"] as string);
    // Memory is all there is: a write-ahead log would only fill it.
    for (const table of tables) wire.run(`alter table ${table} set unlogged`);
    return new Database(wire, tables);
  }

  /** An empty database for the next seed. */
  reset(): void {
    if (this.#inTransaction) this.#wire.run("rollback");
    this.#wire.run(this.#tables.map((table) => `delete from ${table}`).join(";"));
    this.#resets += 1;
    if (this.#resets % RESETS_BEFORE_VACUUM === 0) for (const table of this.#tables) this.#wire.run(`vacuum ${table}`);
    if (this.#resets % RESETS_BEFORE_CHECKPOINT === 0) this.#wire.run("checkpoint");
    this.#holder = null;
    this.#waiting = [];
    this.#inTransaction = false;
    this.#seen = [];
    this.#known.clear();
    this.statements = 0;
  }

  async close(): Promise<void> {
    await this.#wire.close();
  }

  /** The connection, for one statement or one transaction. Those that wait come in their order. */
  async acquire(machine: Machine): Promise<void> {
    if (machine.dead) return never();
    if (!this.#holder) {
      this.#holder = machine;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push({ machine, go: resolve }));
    if (machine.dead) return never();
  }

  release(machine: Machine): void {
    if (this.#holder !== machine) return;
    const next = this.#waiting.shift();
    this.#holder = next?.machine ?? null;
    next?.go();
  }

  /** A process died: PostgreSQL rolls back what it had begun. */
  forget(machine: Machine): void {
    this.#waiting = this.#waiting.filter((one) => one.machine !== machine);
    if (this.#holder !== machine) return;
    if (this.#inTransaction) this.rollback();
    this.release(machine);
  }

  begin(): void {
    this.#wire.run("begin");
    this.#inTransaction = true;
    this.#changed = false;
    this.#failed = false;
    this.#seen = [];
  }

  /** @throws Error when a statement of the transaction failed: PostgreSQL takes such a commit for a rollback */
  commit(machine: Machine): void {
    if (this.#failed) {
      this.rollback();
      throw new Error("the transaction was rolled back: one of its statements had failed");
    }
    this.#wire.run("commit");
    this.#inTransaction = false;
    if (this.#changed) this.#committed(machine);
  }

  rollback(): void {
    this.#wire.run("rollback");
    this.#inTransaction = false;
    this.#seen = [];
    this.#known.clear();
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** One statement of a farm. @throws SqlError */
  execute(machine: Machine, sql: string, values: readonly unknown[]): Answer {
    const reads = isRead(sql);
    if (reads && !this.#inTransaction) return this.#read(sql, values);
    this.statements += 1;
    const answer = inStableOrder(this.#ask(sql, values), sql);
    if (reads) return answer;
    if (answer.changed === 0) return answer;
    this.#written(sql);
    this.#changed = true;
    if (sql.startsWith(EPISODE_MOVE)) for (const row of answer.rows) if (row["state"]) this.#seen.push(row as unknown as SeenEpisode);
    if (!this.#inTransaction) this.#committed(machine);
    return answer;
  }

  /** How often a table was written to. */
  written(table: string): number {
    return this.#versions.get(table) ?? 0;
  }

  /** For the checker and the tools: sees what is committed, changes nothing. */
  peek(sql: string, values: readonly unknown[] = []): Record<string, unknown>[] {
    return this.#read(sql, values).rows;
  }

  snapshot(): Snapshot {
    return new Map(
      this.#tables.map((table) => [
        table,
        (this.#wire.query(`select coalesce(json_agg(one), '[]')::text as rows from ${table} one`).rows[0]?.["rows"] as string) ?? "[]",
      ]),
    );
  }

  /** Everything as it was then. Only while nobody is in a transaction. */
  restore(snapshot: Snapshot): void {
    for (const [table, rows] of snapshot) {
      this.#written(table);
      this.#wire.run(`delete from ${table}`);
      if (rows !== "[]")
        this.#wire.query(`insert into ${table} overriding system value select * from json_populate_recordset(null::${table}, $1::json)`, [
          rows,
        ]);
    }
    this.#known.clear();
  }

  #read(sql: string, values: readonly unknown[]): Answer {
    const key = values.length > 0 ? `${sql}\n${JSON.stringify(values)}` : sql;
    const version = tablesOf(sql).reduce((sum, table) => sum + this.written(table), 0);
    let known = this.#known.get(key);
    if (known?.version !== version) {
      this.statements += 1;
      known = { answer: inStableOrder(this.#wire.query(sql, values), sql), version };
      // What is read from within a transaction, or beside one, may be rolled back.
      if (!this.#inTransaction) this.#known.set(key, known);
    }
    return { rows: known.answer.rows.map((row) => ({ ...row })), changed: 0 };
  }

  #written(sql: string): void {
    for (const table of tablesOf(sql)) this.#versions.set(table, (this.#versions.get(table) ?? 0) + 1);
  }

  #ask(sql: string, values: readonly unknown[]): Answer {
    try {
      return this.#wire.query(sql, values);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  #committed(machine: Machine): void {
    const seen = this.#seen.splice(0);
    if (seen.length > 0) this.events?.episodes(machine, seen);
    this.events?.committed(machine);
  }
}

const tables = new Map<string, readonly string[]>();

function tablesOf(sql: string): readonly string[] {
  let found = tables.get(sql);
  if (!found) {
    found = [...new Set([...sql.matchAll(/\b(?:from|join|update|into) (?:"?\w+"?\.)?"?(\w+)"?/g)].map((match) => match[1] as string))];
    tables.set(sql, found);
  }
  return found;
}

const EPISODE_MOVE = 'update "episodes"';

function isRead(sql: string): boolean {
  return sql.startsWith("select") && !sql.endsWith("for update") && !sql.endsWith("skip locked");
}

const keyColumns = ["id", "seq", "ticket", "account_key", "episode_id", "slot"] as const;

/**
 * PostgreSQL promises no order where none is asked for, and what it does there depends on how full its pages are: here rows
 * that tie come in the order of their keys, so that a seed runs the same whichever seeds ran before it.
 */
function inStableOrder(answer: Answer, sql: string): Answer {
  if (answer.rows.length < 2) return answer;
  const by = /order by (?:"\w+"\.)?"(\w+)"(?! desc)/.exec(sql)?.[1];
  const first = answer.rows[0] as Record<string, unknown>;
  if (sql.includes("order by") && !(by !== undefined && by in first)) return answer;
  const keyOf = (row: Record<string, unknown>): string =>
    keyColumns.map((column) => ((row[column] ?? "") as string | number).toString().padStart(12, " ")).join("|");
  const valueOf = (row: Record<string, unknown>): number | string => {
    const value = by === undefined ? 0 : row[by];
    return value instanceof Date ? value.getTime() : typeof value === "number" ? value : String(value);
  };
  answer.rows.sort((a, b) => compare(valueOf(a), valueOf(b)) || compare(keyOf(a), keyOf(b)));
  return answer;
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A connection without a farm behind it, for the migrations. */
function plain(wire: Wire) {
  return {
    acquire: async () => undefined,
    release: async () => undefined,
    begin: async () => wire.run("begin"),
    commit: async () => wire.run("commit"),
    rollback: async () => wire.run("rollback"),
    execute: async (sql: string, values: readonly unknown[]) => wire.query(sql, values),
  };
}
