import { sql, type Kysely } from "kysely";
import { Migrator, NO_MIGRATIONS, type Migration, type MigrationResultSet } from "kysely/migration";
import { UsageError } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import { openEmbedded } from "./embedded.ts";
import { openPostgres } from "./postgres.ts";

/** Each part owns one schema and touches no other. "vault" holds which keys sealed something. */
export type Part = "manager" | "studio" | "farm" | "vault";

export interface StoreOptions {
  /** Data folder; the embedded database lives in `<dataDir>/db`. */
  dataDir: string;
  /** PostgreSQL >= 15; absent: embedded PGlite. */
  databaseUrl?: string | undefined;
  log: Log;
  /** Embedded: how long a predecessor that still holds the folder may take to end, ms. Default 10,000. */
  lockWaitMs?: number;
}

/** The one database. SQL is PostgreSQL 15's dialect on both backends; what rows hold stands in row-types.ts. */
export interface Store {
  readonly backend: "pglite" | "postgres";
  /**
   * Tables of one part, named without schema. In raw `sql` name the schema.
   * The embedded backend has one connection: inside `transaction().execute(trx => …)` await nothing but `trx`.
   */
  part<Tables>(part: Part): Kysely<Tables>;
  /**
   * Brings the part's schema to the newest migration, whole or not at all. Safe to call from several processes at once.
   * @throws UsageError when the database was migrated by a newer version
   */
  migrate(part: Part, migrations: Record<string, Migration>): Promise<void>;
  /** Undoes every migration of the part. */
  migrateDown(part: Part, migrations: Record<string, Migration>): Promise<void>;
  /**
   * Returns when everything committed so far survives a power cut (embedded: the write-ahead log is on disk, see wal.ts;
   * PostgreSQL: at once, since a commit there returns only when it is on disk).
   */
  flush(): Promise<void>;
  /** SQL of a library that writes its own: one statement with values, or several without. Never inside a transaction. */
  raw(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
  /** Twice does no harm. */
  close(): Promise<void>;
}

/** @throws UsageError when the database can't be used: one sentence with what, where and what to do */
export async function openStore(options: StoreOptions): Promise<Store> {
  const backend = options.databaseUrl ? await openPostgres(options.databaseUrl, options.log) : await openEmbedded(options);
  let closing: Promise<void> | undefined;
  return {
    backend: backend.name,
    part: <Tables>(part: Part) => backend.db.withSchema(part) as unknown as Kysely<Tables>,
    async migrate(part, migrations) {
      await createSchema(backend.db, part);
      outcome(part, await migrator(backend.db, part, migrations).migrateToLatest());
    },
    async migrateDown(part, migrations) {
      outcome(part, await migrator(backend.db, part, migrations).migrateTo(NO_MIGRATIONS));
    },
    flush: async () => backend.flush(),
    raw: async (text, values) => backend.raw(text, values),
    close: async () => (closing ??= backend.close()),
  };
}

function migrator(db: Kysely<unknown>, part: Part, migrations: Record<string, Migration>): Migrator {
  return new Migrator({ db: db.withSchema(part), provider: { getMigrations: async () => migrations }, migrationTableSchema: part });
}

/** Two processes that create the same schema at once collide in spite of IF NOT EXISTS. */
async function createSchema(db: Kysely<unknown>, part: Part): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('podcrew schemas'))`.execute(trx);
    await trx.schema.createSchema(part).ifNotExists().execute();
  });
}

function outcome(part: Part, { error, results }: MigrationResultSet): void {
  if (!error) return;
  if (/previously executed migration .+ is missing/.test((error as Error).message)) {
    throw new UsageError(
      `The database was last used by a newer podcrew than this one (schema ${part}). Use that version, or another database.`,
    );
  }
  const failed = results?.find((result) => result.status === "Error");
  if (!failed) throw error as Error;
  throw new Error(`migration ${part}/${failed.migrationName} failed: ${(error as Error).message}`, { cause: error });
}
