import {
  type CompiledQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from "kysely";
import type { Answer } from "./wire.ts";

/** What a dialect needs of a connection to the simulated database. */
export interface Connection {
  acquire(): Promise<void>;
  release(): Promise<void>;
  begin(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  execute(sql: string, values: readonly unknown[]): Promise<Answer>;
}

/** Kysely on one simulated connection. */
export function farmDialect(connection: Connection): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driverOn(connection),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

function driverOn(connection: Connection): Driver {
  const lent: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, changed } = await connection.execute(sql, parameters);
      return { rows: rows as R[], numAffectedRows: BigInt(changed) };
    },
    // oxlint-disable-next-line require-yield
    async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
      throw new Error("streaming is not simulated");
    },
  };
  return {
    init: async () => undefined,
    async acquireConnection() {
      await connection.acquire();
      return lent;
    },
    beginTransaction: async () => connection.begin(),
    commitTransaction: async () => connection.commit(),
    rollbackTransaction: async () => connection.rollback(),
    releaseConnection: async () => connection.release(),
    destroy: async () => undefined,
  };
}
