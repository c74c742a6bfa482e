import { join } from "node:path";
import { Kysely, PostgresDialect } from "kysely";
import { Migrator, NO_MIGRATIONS, type Migration } from "kysely/migration";
import pg from "pg";
import type { Log } from "../kit/log.ts";
import { openEmbedded } from "./embedded.ts";

/** Each part owns one schema and touches no other. */
export type Part = "manager" | "studio" | "farm";

export interface StoreOptions {
  /** Data folder; the embedded database lives in `<dataDir>/db`. */
  dataDir: string;
  /** PostgreSQL >= 15; absent: embedded PGlite. */
  databaseUrl?: string | undefined;
  log: Log;
}

/** The one database. SQL is PostgreSQL 15's dialect on both backends. */
export interface Store {
  readonly backend: "pglite" | "postgres";
  /** Tables of one part: `Tables` names them without schema; the search path does the rest. */
  part<Tables>(part: Part): Kysely<Tables>;
  /** Brings the part's schema to the newest migration. Safe to call from several processes at once. */
  migrate(part: Part, migrations: Record<string, Migration>): Promise<void>;
  /** Undoes every migration of the part. */
  migrateDown(part: Part, migrations: Record<string, Migration>): Promise<void>;
  /** Returns when everything committed so far survives a power cut (embedded: the write-ahead log is on disk; PostgreSQL: at once). */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export async function openStore(options: StoreOptions): Promise<Store> {
  return options.databaseUrl ? openPostgres(options.databaseUrl) : openEmbedded(join(options.dataDir, "db"), options.log);
}

async function openPostgres(url: string): Promise<Store> {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  return makeStore("postgres", db, async () => {}, async () => db.destroy());
}

export function makeStore(backend: Store["backend"], db: Kysely<unknown>, flush: () => Promise<void>, close: () => Promise<void>): Store {
  const migrator = (part: Part, migrations: Record<string, Migration>): Migrator =>
    new Migrator({ db: db.withSchema(part), provider: { getMigrations: async () => migrations }, migrationTableSchema: part });
  const done = ({ error }: { error?: unknown }): void => {
    if (error) throw error;
  };
  return {
    backend,
    part: <Tables>(part: Part) => db.withSchema(part) as unknown as Kysely<Tables>,
    async migrate(part, migrations) {
      await db.schema.createSchema(part).ifNotExists().execute();
      done(await migrator(part, migrations).migrateToLatest());
    },
    async migrateDown(part, migrations) {
      done(await migrator(part, migrations).migrateTo(NO_MIGRATIONS));
    },
    flush,
    close,
  };
}
