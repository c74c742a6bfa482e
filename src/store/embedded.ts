import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, type DatabaseConnection, type Dialect, type Driver } from "kysely";
import { UsageError } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import { makeStore, type Store } from "./store.ts";

/**
 * PGlite has one connection, and Kysely's driver hands it to everybody at once: a query of another caller would slip into
 * an open transaction. Here a caller holds the connection alone, from begin to commit.
 */
function oneAtATime(dialect: Dialect): Dialect {
  let tail: Promise<void> = Promise.resolve();
  const releases = new WeakMap<DatabaseConnection, () => void>();
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver() {
      const inner = dialect.createDriver();
      return new Proxy(inner, {
        get(target, name: keyof Driver) {
          if (name === "acquireConnection") {
            return async (...args: Parameters<Driver["acquireConnection"]>) => {
              const turn = Promise.withResolvers<void>();
              const before = tail;
              tail = turn.promise;
              await before;
              const connection = await target.acquireConnection(...args);
              releases.set(connection, turn.resolve);
              return connection;
            };
          }
          if (name === "releaseConnection") {
            return async (connection: DatabaseConnection) => releases.get(connection)?.();
          }
          const member = target[name] as unknown;
          return typeof member === "function" ? (member as (...args: unknown[]) => unknown).bind(target) : member;
        },
      });
    },
  };
}

/** Kernel lock on a file beside the folder: freed by any death of its holder. @throws UsageError when somebody holds it */
function lockFolder(path: string): () => void {
  const lock = new DatabaseSync(path);
  try {
    lock.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA busy_timeout=0; BEGIN EXCLUSIVE");
  } catch {
    lock.close();
    throw new UsageError(`The data folder ${dirname(path)} is in use by another podcrew process. Stop that one, choose another folder (PODCREW_DATA=./other), or use PostgreSQL for several processes (DATABASE_URL).`);
  }
  return () => lock.close();
}

export async function openEmbedded(folder: string, _log: Log): Promise<Store> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(join(dirname(folder), "db.lock"));
  const pglite = await PGlite.create(folder, { relaxedDurability: false });
  const db = new Kysely<unknown>({ dialect: oneAtATime(new PGliteDialect({ pglite })) });
  return makeStore(
    "pglite",
    db,
    async () => {},
    async () => {
      await db.destroy();
      unlock();
    },
  );
}
