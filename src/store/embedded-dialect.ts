import type { PGlite } from "@electric-sql/pglite";
import {
  AbortedTransactionError,
  CompiledQuery,
  PGliteAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from "kysely";

/**
 * PGlite has one connection. `PGliteAdapter` says so (`supportsMultipleConnections` is false), and Kysely then lends it to
 * one caller at a time, from begin to commit: no query of another caller slips into an open transaction. So a query beside
 * the transaction, awaited inside it, waits for ever: use `trx` for all that happens within.
 *
 * Kysely's own PGlite driver waits for ever when BEGIN fails (a full disk) and knows no isolation levels; this one is plain
 * BEGIN, COMMIT and ROLLBACK as on PostgreSQL.
 */
export function embeddedDialect(pglite: PGlite): Dialect {
  return {
    createAdapter: () => new PGliteAdapter(),
    createDriver: () => new EmbeddedDriver(pglite),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class EmbeddedDriver implements Driver {
  readonly #pglite: PGlite;
  readonly #connection: EmbeddedConnection;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
    this.#connection = new EmbeddedConnection(pglite);
  }

  async init(): Promise<void> {
    await this.#pglite.waitReady;
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(_connection: DatabaseConnection, { isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    await this.#pglite.exec(["begin", isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean).join(" "));
    this.#connection.failed = false;
  }

  async commitTransaction(): Promise<void> {
    // COMMIT of a transaction in which a statement failed is a silent ROLLBACK: ask before.
    if (this.#connection.failed && (await this.#isAborted())) {
      await this.rollbackTransaction();
      throw new AbortedTransactionError();
    }
    await this.#pglite.exec("commit");
  }

  async rollbackTransaction(): Promise<void> {
    await this.#pglite.exec("rollback");
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`savepoint ${quoted(name)}`));
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`rollback to savepoint ${quoted(name)}`));
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`release savepoint ${quoted(name)}`));
  }

  async destroy(): Promise<void> {
    if (!this.#pglite.closed) await this.#pglite.close();
  }

  async #isAborted(): Promise<boolean> {
    try {
      await this.#pglite.exec("select 1");
      return false;
    } catch (error) {
      return (error as { code?: string }).code === "25P02";
    }
  }
}

class EmbeddedConnection implements DatabaseConnection {
  readonly #pglite: PGlite;
  /** A statement of the open transaction failed. */
  failed = false;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const { rows, affectedRows } = await this.#pglite.query<R>(sql, [...parameters]);
      return { rows, ...(affectedRows !== undefined && { numAffectedRows: BigInt(affectedRows) }) };
    } catch (error) {
      this.failed = true;
      throw error;
    }
  }

  // oxlint-disable-next-line require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not offered: page through the rows instead");
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
